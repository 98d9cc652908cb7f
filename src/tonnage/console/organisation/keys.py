"""An organisation's API keys."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.api_keys.actions import create_key, revoke_key
from tonnage.api_keys.api_key import NewKey, no_key
from tonnage.api_keys.lists import ApiKeyRow, api_keys_of, one_api_key
from tonnage.api_keys.rate_limit import KeyLimit
from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.organisation.key_limit import format_limit, limit_hint
from tonnage.console.page_request import AnyAdmin, PageRequest
from tonnage.console.rendering import gettext
from tonnage.errors import Invalid
from tonnage.web.forms import Form, bind, unbound
from tonnage.web.number_fields import OptionalCount
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Day, Name, UuidPath

routes = APIRouter(prefix="/keys", route_class=AuthFirstRoute, include_in_schema=False)


_NAMES = {"requestsPerSecond": "limit"}


class NewApiKeyForm(Form):
    """What is said of a key beforehand."""

    description: Name
    role: Role
    last_day: Day | None = None
    """On which it is still valid."""
    limit: OptionalCount = None
    """Requests per second."""


@routes.get("")
async def keys(page: AnyAdmin) -> Response:
    """All of them, the past ones too."""
    own = page.actor.organisation_id
    return page.render("organisation/keys.html", rows=await rows_of(page, own), path="/keys", format_limit=format_limit)


@routes.get("/new")
@routes.post("/new")
async def new_key(page: AnyAdmin) -> Response:
    """The form; and the answer to it, which alone shows the key."""
    form = unbound(NewApiKeyForm, role=Role.VIEWER)
    if page.request.method == "POST":
        form = bind(NewApiKeyForm, page.fields, page.formats.number_format)
        made = await form.submit(lambda values: _create(page, values), about="description", fields=_NAMES)
        if made:
            details, key = made
            last_day = form.value and form.value.last_day
            return page.render("organisation/key_created.html", key=key, details=details, last_day=last_day)
    return page.render("organisation/new_key.html", status=form.status, form=form, limit_hint=limit_hint(page))


@routes.get("/{keyID}/revocation")
@routes.post("/{keyID}/revocation")
async def revocation(page: AnyAdmin, keyID: UuidPath) -> Response:
    """Ends a key."""
    return await revoke(page, page.actor.organisation_id, keyID, "/keys", [(gettext("API keys"), "/keys")])


async def revoke(
    page: PageRequest, organisation_id: UUID, key_id: UUID, path: str, crumbs: list[tuple[str, str]]
) -> Response:
    """Asks before a key of that organisation ends. `path`: of the list, to which `crumbs` lead."""
    row = await page.database.run(one_api_key, organisation_id, key_id)
    if row is None:
        raise no_key(key_id)

    async def ask() -> Confirmation:
        return _revocation(page, row, path, crumbs)

    async def act() -> None:
        await page.database.run(revoke_key, page.actor, key_id, page.wall_now)

    notice = gettext("API key revoked: it stops working within a second")
    return await confirm(page, ask, act, done=path, notice=notice)


def _revocation(page: PageRequest, row: ApiKeyRow, path: str, crumbs: list[tuple[str, str]]) -> Confirmation:
    sentences = [
        gettext(
            "The key that starts with %(hint)s permanently stops working within a second. Programs that use it are "
            "refused."
        )
        % {"hint": f"{row.prefix}…"},
        gettext("Last used %(ago)s.") % {"ago": page.formats.ago(row.last_used_at, page.wall_now)}
        if row.last_used_at
        else gettext("Never used."),
    ]
    if row.revoked_at is not None:
        sentences.append(gettext("The key is already revoked. Revoking it again changes nothing."))
    return Confirmation(
        title=gettext("Revoke %(name)s") % {"name": row.description},
        crumbs=crumbs,
        sentences=sentences,
        button=gettext("Revoke API key"),
        danger=True,
        cancel=path,
    )


async def rows_of(page: PageRequest, organisation_id: UUID) -> list[tuple[ApiKeyRow, str]]:
    """The keys of an organisation with their states, the past ones too."""
    return [(row, state_of(row, page.wall_now)) for row in await page.database.run(api_keys_of, organisation_id)]


def state_of(row: ApiKeyRow, now: datetime) -> str:
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


async def _create(page: PageRequest, values: NewApiKeyForm) -> tuple[NewKey, str]:
    until = end_of(values.last_day, page.formats.zone) if values.last_day else None
    if until is not None and until <= page.wall_now:
        raise Invalid.field("last_day", "is in the past; choose today or a later day, or leave it empty")
    details = NewKey(values.description, values.role, until, KeyLimit(values.limit))

    own, limits = page.actor.organisation_id, page.services.limits
    key, _ = await page.database.run(create_key, page.actor, own, details, page.wall_now, limits=limits)
    return details, key
