"""The API of statements, and of the adjustments that are added to them."""

from fastapi import APIRouter

from tonnage.statements.api import adjustments, statements

routes: tuple[APIRouter, ...] = (statements.routes, adjustments.routes)
