"""Prices: the books of a seller, their versions, and the assignments of the audiences."""

from fastapi import APIRouter

from tonnage.console.prices import books, publication, versions

routes: tuple[APIRouter, ...] = (books.routes, versions.routes, publication.routes)
"""Those that every organisation has."""
