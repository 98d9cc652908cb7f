"""A member's name, and how numbers and times are written for it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.authentication.session import SESSION_ENDED
from tonnage.console.edit_conflict import explain
from tonnage.console.page_request import AnyMember, PageRequest
from tonnage.console.rendering import gettext
from tonnage.error_codes import RequestCode
from tonnage.errors import Unauthenticated
from tonnage.members.actions import change_profile
from tonnage.members.member import ProfileChange
from tonnage.members.profile_queries import Profile, profile_of
from tonnage.money import Money
from tonnage.web.edit_form import CLEARABLE, BoundEdit, EditForm, OptionalName, bind_edit, of_new, unbound_edit
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Text
from tonnage.wording.choices import locale_name, locales, negotiate, time_zone_name, time_zones
from tonnage.wording.formatting import Formats

routes = APIRouter(prefix="/profile", route_class=AuthFirstRoute, include_in_schema=False)

_SIZE = 1_320_000_000_000
_NUMBER = Decimal("1234567.89")
_MONEY = Money(Decimal("1234.56"), "EUR")


class AboutMeForm(EditForm):
    """Without a locale it is as the browser asks."""

    names: ClassVar = {"name": "nameChanged", "time_zone": "timeZone"}

    name: OptionalName | None = None
    locale: Annotated[Text, of_new(locale_name), CLEARABLE] | None = None
    time_zone: Annotated[Text, of_new(time_zone_name)] | None = None


@routes.get("")
async def show(page: AnyMember) -> Response:
    """The form. A locale and time zone in the query are shown as if chosen: that is how examples follow the choice."""
    visitor, query = page.visitor, page.request.query_params
    present = _texts(Profile(visitor.name, visitor.locale, visitor.time_zone or "UTC"))
    chosen = {name: query[name] for name in ("locale", "time_zone") if name in query}
    return _page(page, unbound_edit(AboutMeForm, present, raw={**present, **chosen}))


@routes.post("")
async def change(page: AnyMember) -> Response:
    """The same page, as it is written from now on."""
    form = bind_edit(AboutMeForm, page.fields)
    if await form.apply(lambda values, seen: _change(page, values, seen)):
        return page.redirect("/profile", gettext("Changes saved"))
    member_id = page.visitor.member_id
    present = await page.database.run(profile_of, member_id)
    if present is None:
        raise Unauthenticated(SESSION_ENDED, RequestCode.SESSION_ENDED)
    names, by = locales(page.language), gettext("you in another window")

    def name_of(locale: str) -> str:
        return names.get(locale, locale) or gettext("the browser default")

    await explain(page, AboutMeForm, form, _texts(present), member_id, {"locale": name_of, "time_zone": str}, by=by)
    return _page(page, form)


async def _change(page: PageRequest, values: AboutMeForm, seen: AboutMeForm) -> bool:
    wanted, expected = (ProfileChange(form.name, form.locale, form.time_zone) for form in (values, seen))
    await page.database.run(change_profile, page.actor, page.visitor.member_id, wanted, expected=expected)
    return True


def _texts(present: Profile) -> dict[str, str]:
    """What stands in the form."""
    return {"name": present.name or "", "locale": present.locale or "", "time_zone": present.time_zone}


def _page(page: PageRequest, form: BoundEdit[AboutMeForm]) -> Response:
    known = locales(page.language)
    asked = known[negotiate(page.request.headers.get("accept-language", ""))]
    as_asked = gettext("Browser default: %(locale)s") % {"locale": asked}
    # A name that browsers still report for a zone is taken, but not in the list; a locale may have gone from it.
    zones = dict.fromkeys([*time_zones(), form.original["time_zone"]])
    locale = form.original["locale"]
    return page.render(
        "profile/about_me.html",
        status=form.status,
        form=form,
        locales=[("", as_asked), *({locale: locale} | known if locale else known).items()],
        zones=[(zone, zone.replace("_", " ")) for zone in zones],
        examples=_examples(page, form.raw, page.wall_now),
    )


def _examples(page: PageRequest, raw: Mapping[str, str], now: datetime) -> list[tuple[str, str]]:
    locale = raw.get("locale") or negotiate(page.request.headers.get("accept-language", ""))
    formats = Formats(locale, raw.get("time_zone") or "UTC")
    return [
        (gettext("Now"), f"{formats.moment(now)} {formats.zone_of(now)}"),
        (gettext("Month"), formats.month(now.astimezone(formats.zone).date())),
        (gettext("Size"), formats.size(_SIZE)),
        (gettext("Number"), formats.number(_NUMBER)),
        (gettext("Money"), formats.money(_MONEY)),
    ]
