"""How an organisation's documents are made, and their logo."""

from dataclasses import asdict
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter
from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.billing_profiles.settings import CARRIED, CREDIT_NOTE, INVOICE, SETTINGS, STATEMENT, SellerSettings
from tonnage.billing_profiles.settings_actions import change_settings, read_logo, set_logo
from tonnage.billing_profiles.settings_queries import FoundSettings, logo_of, seller_settings
from tonnage.console.edit_conflict import explain
from tonnage.console.page_request import AnyAdmin, AnyMember, PageRequest
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.errors import Sentence
from tonnage.web.edit_form import BoundEdit, EditForm, bind_edit, of_new, unbound_edit
from tonnage.web.forms import BoundForm, Checkbox, Form, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Text
from tonnage.wording.choices import locale_name, locales

PATH = "/billing-settings"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)


def _whole(text: object) -> object:
    if not isinstance(text, str) or not text.strip().isascii() or not text.strip().isdigit() or len(text) > 12:
        raise ValueError(Sentence("must be a whole number"))
    return str(int(text))


def _lines(text: str) -> str:
    # Browsers send a line break as CR LF.
    return text.replace("\r\n", "\n")


_Whole = Annotated[str, AfterValidator(_whole)]


class BillingSettingsForm(EditForm):
    """Texts and choices; what they must be is decided for all of them together."""

    names: ClassVar = {**SETTINGS, "footer": "footerChanged"}

    document: Literal["statement", "invoice"] | None = None
    locale: Annotated[Text, of_new(locale_name)] | None = None
    colour: str | None = None
    footer: Annotated[str, AfterValidator(_lines)] | None = None
    freeze_day: _Whole | None = None
    number_format: str | None = None
    number_start: _Whole | None = None
    small_business: Checkbox | None = None
    retention_years: _Whole | None = None
    negative_total: Literal["carried", "credit-note"] | None = None
    mail_documents: Checkbox | None = None


class LogoForm(Form):
    """A PNG image, as the data URL that a file becomes (web/multipart.py)."""

    logo: str


_NUMBERS = ("freeze_day", "number_start", "retention_years")


@routes.get("")
async def show(page: AnyMember) -> Response:
    """The settings as they are; admins change them."""
    found, logo = await page.database.run(_read, page)
    return _page(page, found, logo, unbound_edit(BillingSettingsForm, _texts(found.settings)))


@routes.post("")
async def change(page: AnyAdmin) -> Response:
    """For the documents that are made from now on."""
    form = bind_edit(BillingSettingsForm, page.fields)
    if await form.apply(lambda values, seen: _change(page, values, seen)):
        return page.redirect(PATH, gettext("Settings saved"))
    found, logo = await page.database.run(_read, page)
    writers = {
        "document": _document_label,
        "negative_total": _negative_label,
        "locale": partial(_locale_label, page),
        "small_business": _yes_or_no,
        "mail_documents": _yes_or_no,
    }
    subject = page.actor.organisation_id
    await explain(page, BillingSettingsForm, form, _texts(found.settings), subject, writers)
    return _page(page, found, logo, form)


async def _read(conn: Connection, page: PageRequest) -> tuple[FoundSettings, str | None]:
    seller = page.actor.organisation_id
    return await seller_settings(conn, seller), await logo_of(conn, seller)


async def _change(page: PageRequest, values: BillingSettingsForm, seen: BillingSettingsForm) -> bool:
    change = {name: value for name, value in _values(values).items() if value is not None}
    await page.database.run(change_settings, page.actor, change, page.business_now, expected=_values(seen))
    return True


def _values(form: BillingSettingsForm) -> dict[str, Any]:
    return {
        name: int(value) if name in _NUMBERS and value is not None else value
        for name, value in form.model_dump().items()
    }


def _texts(settings: SellerSettings) -> dict[str, str]:
    """What stands in the form."""
    texts = {name: str(value) for name, value in asdict(settings).items() if name in BillingSettingsForm.model_fields}
    flags = {"small_business": settings.small_business, "mail_documents": settings.mail_documents}
    return {**texts, **{name: "on" if flag else "" for name, flag in flags.items()}}


def _document_label(document: str) -> str:
    return gettext("Statement") if document == STATEMENT else gettext("Invoice")


def _negative_label(choice: str) -> str:
    return gettext("Carried to the next statement") if choice == CARRIED else gettext("Credit note")


def _locale_label(page: PageRequest, name: str) -> str:
    return locales(page.language).get(name, name)


def _yes_or_no(flag: bool) -> str:
    return gettext("yes") if flag else gettext("no")


def _page(
    page: PageRequest,
    found: FoundSettings,
    logo: str | None,
    form: BoundEdit[BillingSettingsForm],
    logo_form: BoundForm[LogoForm] | None = None,
) -> Response:
    return page.render(
        "billing/settings.html",
        status=(logo_form or form).status,
        form=form,
        logo_form=logo_form or unbound(LogoForm),
        logo=logo,
        settings=found.settings,
        may_change=page.actor.role is Role.ADMIN,
        locales=locales(page.language).items(),
        document_label=_document_label,
        negative_label=_negative_label,
        documents=(STATEMENT, INVOICE),
        negative_totals=[(choice, _negative_label(choice)) for choice in (CARRIED, CREDIT_NOTE)],
    )


@routes.post("/logo")
async def change_logo(page: AnyAdmin) -> Response:
    """Sets the logo."""
    form = bind(LogoForm, page.fields)

    async def act(values: LogoForm) -> object:
        image = read_logo(values.logo.partition(",")[2], "logo")
        return await page.database.run(set_logo, page.actor, image, page.business_now)

    if await form.submit(act):
        return page.redirect(PATH, gettext("Logo saved"))
    found, logo = await page.database.run(_read, page)
    return _page(page, found, logo, unbound_edit(BillingSettingsForm, _texts(found.settings)), form)


@routes.post("/logo/removal")
async def remove_logo(page: AnyAdmin) -> Response:
    """Documents have none from now on."""
    await page.database.run(set_logo, page.actor, None, page.business_now)
    return page.redirect(PATH, gettext("Logo removed"))
