"""Statements: lists of them, the page of one with the working of its lines, its payment, taking it back, and months."""

from fastapi import APIRouter

from tonnage.console.statements import credit_note, listing, month, payment, statement, working

routes: tuple[APIRouter, ...] = (
    listing.routes,
    month.routes,
    statement.routes,
    working.routes,
    payment.routes,
    credit_note.routes,
)
"""Those that every organisation has."""
