"""The page of a billing profile, for whom it is about and for the seller that keeps it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, TypeAlias, cast

from fastapi import APIRouter, Depends
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.billing_profiles.actions import change_profile, find_profile
from tonnage.billing_profiles.billing_profile import AUDITED_AS, FIELDS, BillingProfile, ProfileSubject
from tonnage.billing_profiles.countries import COUNTRIES
from tonnage.billing_profiles.identifiers import masked
from tonnage.billing_profiles.queries import KeptProfile, blocked_buyer
from tonnage.console.edit_conflict import explain
from tonnage.console.page_request import PageRequest
from tonnage.console.rendering import gettext
from tonnage.error_codes import RequestCode
from tonnage.errors import FieldError, Invalid, NotFound
from tonnage.names import name_key
from tonnage.web.edit_form import BoundEdit, EditForm, bind_edit, unbound_edit
from tonnage.web.routing import AuthFirstRoute


@dataclass(frozen=True)
class ProfilePage:
    """A profile, and where its page is."""

    page: PageRequest
    subject: ProfileSubject
    path: str
    render: Callable[..., Response]
    """Renders the template of the audience, which includes the form."""

    @property
    def subject_id(self) -> Any:
        """As in the audit log."""
        return self.subject.organisation_id or self.subject.account_id


async def closed_profile(page: PageRequest, subject: ProfileSubject, path: str, missing: NotFound) -> ProfilePage:
    """Of a buyer that is closed or purged, and has no other pages any more, while a statement of it is blocked. Raises
    `missing` where none is."""
    found = await page.database.run(blocked_buyer, subject.organisation_id, subject.account_id)
    if found is None or found.seller_id != page.actor.organisation_id:
        raise missing
    return ProfilePage(page, subject, path, partial(page.render, "billing/closed_profile.html", buyer=found.name))


ProfileGuard: TypeAlias = Callable[..., Awaitable[ProfilePage]]
"""A dependency: its first parameter is a page of the role that is needed, the others come from the path."""

_AUDITED = {FIELDS[name]: audited for name, audited in AUDITED_AS.items()}
"""By the names in JSON, which errors have, those that an EditForm maps to its own."""


class BillingProfileForm(EditForm):
    """Texts; what they must be is decided for all of them together."""

    names: ClassVar = AUDITED_AS

    legal_name: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    postal_code: str | None = None
    city: str | None = None
    country: str | None = None
    vat_id: str | None = None
    tax_number: str | None = None
    iban: str | None = None
    bic: str | None = None
    payment_term_days: str | None = None
    electronic_address_scheme: str | None = None
    electronic_address: str | None = None
    buyer_reference: str | None = None
    contact_email: str | None = None


def profile_routes(prefix: str, *, reading: ProfileGuard, changing: ProfileGuard) -> APIRouter:
    """The page at `prefix`."""
    routes = APIRouter(prefix=prefix, route_class=AuthFirstRoute, include_in_schema=False)

    async def show(profile: Annotated[ProfilePage, Depends(reading)]) -> Response:
        found = await _found(profile)
        return _page(profile, found, unbound_edit(BillingProfileForm, asdict(found.profile)))

    async def change(profile: Annotated[ProfilePage, Depends(changing)]) -> Response:
        form = bind_edit(BillingProfileForm, profile.page.fields)
        if await form.apply(lambda values, seen: _change(profile, values, seen)):
            return profile.page.redirect(profile.path, gettext("Billing profile saved"))
        found = await _found(profile)
        texts = asdict(found.profile)
        await explain(profile.page, BillingProfileForm, form, texts, profile.subject_id, {"iban": masked})
        return _page(profile, found, form)

    routes.add_api_route("", show, methods=["GET"])
    routes.add_api_route("", change, methods=["POST"])
    return routes


async def _found(profile: ProfilePage) -> KeptProfile:
    return await profile.page.database.run(find_profile, profile.page.actor, profile.subject)


async def _change(profile: ProfilePage, values: BillingProfileForm, seen: BillingProfileForm) -> bool:
    page = profile.page
    change = {name: text for name, text in values.model_dump().items() if text is not None}
    expected = {name: text or "" for name, text in seen.model_dump().items()}
    try:
        await page.database.run(
            change_profile, page.actor, profile.subject, change, page.business_now, expected=expected
        )
    except Invalid as error:
        fields = tuple(FieldError(_AUDITED[one.field], one.message) for one in error.fields)
        raise Invalid(error.sentence, fields, RequestCode.VALIDATION_FAILED) from error
    return True


def _page(profile: ProfilePage, found: KeptProfile, form: BoundEdit[BillingProfileForm]) -> Response:
    page = profile.page
    return profile.render(
        status=form.status,
        profile=profile,
        form=form,
        own=_facts(page, found.own),
        facts_of_profile=_facts(page, found.profile),
        may_change_profile=page.actor.role is Role.ADMIN,
        countries=_countries(page, form.raw.get("country", "")),
    )


def _countries(page: PageRequest, chosen: str) -> list[tuple[str, str]]:
    known = sorted(((code, _country(page, code)) for code in COUNTRIES), key=_by_name)
    return [("", ""), *known] if chosen in COUNTRIES or not chosen else [("", ""), (chosen, chosen), *known]


def _by_name(option: tuple[str, str]) -> tuple[str, str]:
    return name_key(option[1]), option[0]


def _country(page: PageRequest, code: str) -> str:
    names = cast("Mapping[str, str]", page.formats.babel.territories)
    return names.get(code, code)


def _facts(page: PageRequest, profile: BillingProfile) -> list[tuple[str, str]]:
    """What a reader who does not change it sees."""
    country = _country(page, profile.country)
    address = [profile.address_line1, profile.address_line2, f"{profile.postal_code} {profile.city}".strip(), country]
    electronic = f"{profile.electronic_address_scheme} {profile.electronic_address}".strip()
    found = [
        (gettext("Legal name"), profile.legal_name),
        (gettext("Address"), ", ".join(line for line in address if line)),
        (gettext("VAT id"), profile.vat_id),
        (gettext("Tax number"), profile.tax_number),
        (gettext("IBAN"), profile.iban),
        (gettext("BIC"), profile.bic),
        (gettext("Payment term in days"), profile.payment_term_days),
        (gettext("Electronic address"), electronic),
        (gettext("Buyer reference"), profile.buyer_reference),
        (gettext("E-mail for statements"), profile.contact_email),
    ]
    return [fact for fact in found if fact[1]]
