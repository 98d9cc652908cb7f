"""Statements: lists of them, the page of one with the working of its lines, its payment, taking it back, and months."""

from fastapi import APIRouter

from tonnage.console.statements import listing, month, payment, statement, taking_back, working

routes: tuple[APIRouter, ...] = (
    listing.routes,
    month.routes,
    statement.routes,
    working.routes,
    payment.routes,
    taking_back.routes,
)
"""Those that every organisation has."""
