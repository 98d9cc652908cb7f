"""How often an API key can be used. The operator's admins change it for the keys of all organisations."""

from typing import ClassVar
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Kind
from tonnage.api_keys.actions import limit_key
from tonnage.api_keys.api_key import no_key
from tonnage.api_keys.lists import ApiKeyRow, one_api_key
from tonnage.api_keys.rate_limit import WINDOW, KeyLimit
from tonnage.console.confirmation import Confirmation
from tonnage.console.edit_conflict import explain
from tonnage.console.page_request import AnyAdmin, PageRequest
from tonnage.console.rendering import gettext, number
from tonnage.web.edit_form import EditForm, bind_edit, unbound_edit
from tonnage.web.number_fields import OptionalCount
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

routes = APIRouter(prefix="/keys/{keyID}/limit", route_class=AuthFirstRoute, include_in_schema=False)


class KeyLimitForm(EditForm):
    """Requests per second; None: the default."""

    names: ClassVar = {"limit": "requestsPerSecond"}

    limit: OptionalCount = None


@routes.get("")
@routes.post("")
async def limit(page: AnyAdmin, keyID: UuidPath) -> Response:
    """From the next second on."""
    return await change_limit(page, page.actor.organisation_id, keyID, "/keys", [(gettext("API keys"), "/keys")])


async def change_limit(
    page: PageRequest, organisation_id: UUID, key_id: UUID, path: str, crumbs: list[tuple[str, str]]
) -> Response:
    """The form of a key of that organisation. `path`: of the list, to which `crumbs` lead."""
    row = await page.database.run(one_api_key, organisation_id, key_id)
    if row is None:
        raise no_key(key_id)
    question = _question(page, row, path, crumbs)
    if page.request.method != "POST":
        return question.render(page, unbound_edit(KeyLimitForm, _texts(row)))
    form = bind_edit(KeyLimitForm, page.fields, page.formats.number_format)

    async def act(values: KeyLimitForm, seen: KeyLimitForm) -> None:
        wanted, expected = KeyLimit(values.limit), KeyLimit(seen.limit)
        limits = page.services.limits
        if form.changed:  # else None is not the default
            await page.database.run(limit_key, page.actor, key_id, wanted, expected=expected, limits=limits)

    await form.apply(act, about="limit")
    if not form.errors:
        return page.redirect(path, gettext("Limit changed"))
    row = await page.database.run(one_api_key, organisation_id, key_id) or row
    await explain(page, KeyLimitForm, form, _texts(row), key_id, {"limit": format_limit})
    return question.render(page, form)


def format_limit(limit: int | None) -> str:
    """A limit, for people."""
    if limit is None:
        return gettext("the default")
    return gettext("%(number)s requests a second") % {"number": number(limit)}


def limit_hint(page: PageRequest) -> str:
    """What can stand in the field of a limit."""
    default = page.services.limits.requests_per_second
    hint = gettext("Requests a second, on average. Leave empty for the default of %(default)s.") % {
        "default": number(default)
    }
    if page.actor.kind is Kind.OPERATOR:
        return hint
    operators = gettext("Only the operator can give a key more.")
    return f"{hint} {operators}"


def _texts(row: ApiKeyRow) -> dict[str, str]:
    return {"limit": "" if row.requests_per_second is None else str(row.requests_per_second)}


def _question(page: PageRequest, row: ApiKeyRow, path: str, crumbs: list[tuple[str, str]]) -> Confirmation:
    return Confirmation(
        title=gettext("Limit of %(name)s") % {"name": row.description},
        crumbs=crumbs,
        sentences=[
            gettext(
                "How often programs can use the key that starts with %(hint)s. The requests of %(seconds)s seconds can "
                "be made at once; more are refused for a moment. A change is effective within a second."
            )
            % {"hint": f"{row.prefix}…", "seconds": WINDOW}
        ],
        fields=[("limit", gettext("Limit"), limit_hint(page))],
        button=gettext("Change limit"),
        cancel=path,
    )
