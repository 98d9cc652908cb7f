"""Statements: lists of them, the page of one with the working of its lines, its payment, taking it back, and months;
and adjustments."""

from fastapi import APIRouter

from tonnage.console.statements import (
    adjustment,
    adjustments,
    credit_note,
    listing,
    month,
    payment,
    statement,
    working,
)

routes: tuple[APIRouter, ...] = (
    listing.routes,
    adjustments.routes,
    adjustment.routes,
    month.routes,
    statement.routes,
    working.routes,
    payment.routes,
    credit_note.routes,
)
"""Those that every organisation has."""
