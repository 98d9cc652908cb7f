"""An organisation's API keys."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actions import create_key, revoke_key
from tonnage.access.actor import Role
from tonnage.access.keys import NewKey
from tonnage.access.page_queries import KeyRow, keys_shown
from tonnage.console.rendering import gettext
from tonnage.console.visit import AnyAdmin, Visit
from tonnage.errors import Invalid, NotFound
from tonnage.web.forms import Form, blank, fill
from tonnage.web.payload import Day, Name, UuidPath
from tonnage.web.route import Door

routes = APIRouter(prefix="/keys", route_class=Door, include_in_schema=False)


class NewKeyForm(Form):
    """What is said of a key beforehand."""

    description: Name
    role: Role
    last_day: Day | None = None
    """On which it is still valid."""


@routes.get("")
async def keys(visit: AnyAdmin) -> Response:
    """All of them, the past ones too."""
    rows = [(row, state_of(row, visit.now)) for row in await _rows(visit)]
    return visit.page("own/keys.html", rows=rows)


@routes.get("/new")
@routes.post("/new")
async def new_key(visit: AnyAdmin) -> Response:
    """The form; and the answer to it, which alone shows the key."""
    form = blank(NewKeyForm, role=Role.VIEWER)
    if visit.request.method == "POST":
        form = fill(NewKeyForm, visit.fields)
        made = await form.submit(lambda typed: _create(visit, typed), about="description")
        if made:
            details, key = made
            last_day = form.value and form.value.last_day
            return visit.page("own/key_made.html", key=key, details=details, last_day=last_day)
    status = form.status if form.errors else 200
    return visit.page("own/new_key.html", status=status, form=form)


@routes.get("/{keyID}/revocation")
@routes.post("/{keyID}/revocation")
async def revocation(visit: AnyAdmin, keyID: UuidPath) -> Response:
    """Asks before it ends a key."""
    row = next((row for row in await _rows(visit) if row.id == keyID), None)
    if row is None:
        raise NotFound(f"There is no API key {keyID}.")
    if visit.request.method == "POST":
        await visit.database.run(lambda conn: revoke_key(conn, visit.actor, keyID, visit.now))
        return visit.see("/keys", gettext("The key was revoked; within a second nobody can use it any more."))
    return visit.page("own/revocation.html", row=row, state=state_of(row, visit.now))


def state_of(row: KeyRow, now: datetime) -> str:
    """`active`, `expired` or `revoked`."""
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.valid_until is not None and row.valid_until <= now else "active"


def end_of(day: date, zone: tzinfo) -> datetime:
    """When that day is over in that time zone. Raises Invalid, for the field `last_day`, where the calendar ends."""
    try:
        return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    except OverflowError:
        raise Invalid.field("last_day", "must be before the year 9999") from None


async def _rows(visit: Visit) -> list[KeyRow]:
    own = visit.actor.organisation_id
    return await visit.database.run(lambda conn: keys_shown(conn, own))


async def _create(visit: Visit, typed: NewKeyForm) -> tuple[NewKey, str]:
    until = end_of(typed.last_day, visit.formats.zone) if typed.last_day else None
    if until is not None and until <= visit.now:
        raise Invalid.field("last_day", "is over already; choose today or a later day, or leave it empty")
    details = NewKey(typed.description, typed.role, until)

    own = visit.actor.organisation_id
    key, _ = await visit.database.run(lambda conn: create_key(conn, visit.actor, own, details, visit.now))
    return details, key
