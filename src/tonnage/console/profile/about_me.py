"""A member's name, and how numbers and times are written for it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.authentication.profile_actions import set_profile
from tonnage.console.page_request import AnyMember, PageRequest
from tonnage.console.rendering import gettext
from tonnage.console.wording.choices import locale_name, locales, negotiate, time_zone_name, time_zones
from tonnage.console.wording.formatting import Formats
from tonnage.money import Money
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Name, Text

routes = APIRouter(prefix="/profile", route_class=AuthFirstRoute, include_in_schema=False)

_SIZE = 1_320_000_000_000
_NUMBER = Decimal("1234567.89")
_MONEY = Money(Decimal("1234.56"), "EUR")


class AboutMeForm(Form):
    """What is left empty is as the browser asks; without a time zone, UTC."""

    name: Name | None = None
    locale: Annotated[Text, AfterValidator(locale_name)] | None = None
    time_zone: Annotated[Text, AfterValidator(time_zone_name)] | None = None


@routes.get("")
async def show(page: AnyMember) -> Response:
    """The form. A locale and time zone in the query are shown as if chosen: that is how examples follow the choice."""
    visitor, query = page.visitor, page.request.query_params
    form = unbound(
        AboutMeForm,
        name=visitor.name or "",
        locale=query.get("locale", visitor.locale or ""),
        time_zone=query.get("time_zone", visitor.time_zone or "UTC"),
    )
    return _page(page, form)


@routes.post("")
async def change(page: AnyMember) -> Response:
    """The same page, as it is written from now on."""
    form = bind(AboutMeForm, page.fields)
    if form.value is None:
        return _page(page, form)
    typed = form.value
    await page.database.run(lambda conn: set_profile(conn, page.visitor, typed.name, typed.locale, typed.time_zone))
    return page.redirect("/profile", gettext("Your profile was changed."))


def _page(page: PageRequest, form: BoundForm[AboutMeForm]) -> Response:
    known = locales(page.language)
    asked = known[negotiate(page.request.headers.get("accept-language", ""))]
    as_asked = gettext("As the browser asks: %(locale)s") % {"locale": asked}
    # A name that browsers still report for a zone is taken, but not in the list.
    zones = dict.fromkeys([*time_zones(), page.visitor.time_zone or "UTC"])
    return page.render(
        "profile/about_me.html",
        status=form.status if form.errors else 200,
        form=form,
        locales=[("", as_asked), *known.items()],
        zones=[(zone, zone.replace("_", " ")) for zone in zones],
        examples=_examples(page, form.typed, page.now),
    )


def _examples(page: PageRequest, typed: Mapping[str, str], now: datetime) -> list[tuple[str, str]]:
    locale = typed.get("locale") or negotiate(page.request.headers.get("accept-language", ""))
    formats = Formats(locale, typed.get("time_zone") or "UTC")
    return [
        (gettext("Now"), f"{formats.moment(now)} {formats.zone_of(now)}"),
        (gettext("Month"), formats.month(now.astimezone(formats.zone).date())),
        (gettext("Size"), formats.size(_SIZE)),
        (gettext("Number"), formats.number(_NUMBER)),
        (gettext("Money"), formats.money(_MONEY)),
    ]
