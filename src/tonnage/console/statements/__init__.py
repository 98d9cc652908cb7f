"""Statements: lists of them, the page of one with the working of its lines, its payment, and months."""

from fastapi import APIRouter

from tonnage.console.statements import listing, month, payment, statement, working

routes: tuple[APIRouter, ...] = (listing.routes, month.routes, statement.routes, working.routes, payment.routes)
"""Those that every organisation has."""
