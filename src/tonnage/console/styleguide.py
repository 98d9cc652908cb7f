"""All components on one page, beside a demo: where the design is looked at and changed."""

import secrets
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tonnage.console.cookies import Cookies
from tonnage.console.date_range import read_range
from tonnage.console.page_context import PageContext
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict
from tonnage.keyset import bigint, text
from tonnage.lists import ListSpec, PageOf
from tonnage.money import Money
from tonnage.web.forms import BoundForm, Form
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute

routes = APIRouter(route_class=AuthFirstRoute, include_in_schema=False)

_TODAY = date(2026, 11, 24)
_NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
_TB = 10**12

_LISTED = ListSpec(
    {"name": (text("name"),), "used": (bigint("used"),)}, ("near", "over"), descending_by_default=frozenset({"used"})
)
_FOUND = PageOf(list(range(50)), 1234, 600, ("0",), ("0",))


def _filled() -> BoundForm[Form]:
    form: BoundForm[Form] = BoundForm(
        {"name": "Hillside", "allocated": "60", "allocated_unit": "TB", "overdraft": "on", "role": "staff"}, None
    )
    form.errors["allocated"] = Conflict(
        "Not enough capacity: 47 TB left, 60 TB asked. Ask for less.", ConflictCode.PARTNER_FULL
    )
    return form


def _days() -> list[tuple[date, int, int]]:
    return [
        (_TODAY - timedelta(days=age), 3 * _TB + (59 - age) * 45 * 10**9 + (age * 7919 % 13) * 10**10, 5 * _TB)
        for age in range(59, -1, -1)
    ]


@routes.get("/styleguide")
async def styleguide(request: Request) -> Response:
    """Every component, with values that look like real ones."""
    cookies = Cookies(request)
    secret = cookies.guest() or secrets.token_urlsafe(32)
    page = PageContext(request, None, secret, cookies)
    response = page.render(
        "components/styleguide.html",
        form=_filled(),
        found=_FOUND,
        state=read_list_state(_LISTED, request.query_params),
        range=read_range(request.query_params, _TODAY),
        days=_days(),
        now=_NOW,
        TB=_TB,
        fee=Money(Decimal("123.45678"), "EUR"),
    )
    cookies.set_guest(response, secret)
    return response
