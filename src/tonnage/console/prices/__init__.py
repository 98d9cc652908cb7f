"""Prices: the books of a seller, their versions, and the assignments of the audiences."""

from fastapi import APIRouter

from tonnage.console.prices import books, preview, publication, versions

routes: tuple[APIRouter, ...] = (books.routes, versions.routes, publication.routes, preview.routes)
"""Those that every organisation has."""
