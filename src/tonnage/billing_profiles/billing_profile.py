"""A billing profile: what an invoice says about a company, as seller or as buyer.

A profile has a subject and a keeper: an organisation keeps its own, a seller one for each buyer that has not written
one. All texts; "" is what was not given.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NamedTuple
from uuid import UUID

from pydantic.alias_generators import to_camel

from tonnage.access.actor import Actor
from tonnage.billing_profiles.countries import country
from tonnage.billing_profiles.identifiers import (
    bic,
    electronic_address,
    iban,
    masked,
    require_vat_country,
    scheme,
    vat_id,
)
from tonnage.email_address import email_address
from tonnage.error_codes import RequestCode
from tonnage.errors import FieldError, Invalid, Sentence
from tonnage.names import is_visible, reordering_character

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MOST_DAYS = 365
_LONGEST = 254
"""Characters of any field: of an e-mail address."""


@dataclass(frozen=True)
class BillingProfile:
    """Texts in the form in which they are stored."""

    legal_name: str = ""
    address_line1: str = ""
    address_line2: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""
    """ISO 3166-1 alpha-2."""
    vat_id: str = ""
    """With the prefix of its country."""
    tax_number: str = ""
    iban: str = ""
    bic: str = ""
    payment_term_days: str = ""
    """From the day of a document until it is due, as its seller grants it."""
    electronic_address_scheme: str = ""
    electronic_address: str = ""
    """Where e-invoices go to."""
    buyer_reference: str = ""
    """What a buyer wants to read on its documents (BT-10), such as a Leitweg-ID."""
    contact_email: str = ""
    """Where its statements are sent to."""

    def __bool__(self) -> bool:
        """Whether it has been written: a profile without a name does not exist."""
        return bool(self.legal_name)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "BillingProfile":
        """As `as_document` has made it; unknown members are those of a newer program."""
        return cls(**{name: str(stored[key]) for name, key in FIELDS.items() if key in stored})

    def as_document(self) -> dict[str, Any]:
        """Its fields as in JSON, without those that are empty."""
        texts: dict[str, Any] = {key: text for name, key in FIELDS.items() if (text := getattr(self, name))}
        if self.payment_term_days:
            texts["paymentTermDays"] = int(self.payment_term_days)
        return texts

    def audited(self) -> dict[str, Any]:
        """What the audit log may say for good: about a company, and nothing of a person."""
        known = {name: self.as_document().get(name) for name in ("legalName", "country", "vatId", "paymentTermDays")}
        return {**known, "iban": masked(self.iban) or None}


FIELDS: Mapping[str, str] = {field.name: to_camel(field.name) for field in fields(BillingProfile)}
"""By their names, those in JSON."""

_REQUIRED = ("legal_name", "address_line1", "city", "country")

AUDITED_AS: Mapping[str, str] = {
    **{name: f"{key}Changed" for name, key in FIELDS.items()},
    **{name: FIELDS[name] for name in ("legal_name", "country", "vat_id", "payment_term_days", "iban")},
}
"""What the audit log calls each field: of others than those it only says that they have changed."""


def changed_facts(before: BillingProfile, after: BillingProfile) -> dict[str, Any]:
    """What the audit log says about the profile after a change."""
    old, new = asdict(before), asdict(after)
    said = after.audited()
    hidden = {AUDITED_AS[name]: True for name in FIELDS if old[name] != new[name] and AUDITED_AS[name] not in said}
    return {**said, **hidden}


class ProfileSubject(NamedTuple):
    """Whom a profile is about, an organisation or a storage account, and who keeps it."""

    keeper_id: UUID
    organisation_id: UUID | None = None
    account_id: int | None = None

    @classmethod
    def own(cls, actor: Actor) -> "ProfileSubject":
        """The actor's own organisation."""
        return cls(actor.organisation_id, actor.organisation_id)

    @property
    def identity(self) -> dict[str, str]:
        """Whose it is, as in JSON."""
        if self.account_id is not None:
            return {"clientAccountId": f"{self.account_id:012}"}
        return {"organisationId": str(self.organisation_id)}


def read_profile(document: Mapping[str, Any]) -> BillingProfile:
    """A profile from texts by their names in JSON; numbers of days may be numbers. Raises Invalid, for all fields that
    are wrong at once.
    """
    wrong: dict[str, str] = {}
    found: dict[str, str] = {}
    for name, key in FIELDS.items():
        try:
            found[name] = _read(name, document.get(key), found)
        except ValueError as error:
            wrong[key] = error.args[0]
    of_other_country = _other_country(found, wrong)
    if of_other_country:
        wrong["vatId"] = of_other_country
    if wrong:
        code = RequestCode.VAT_ID_OF_OTHER_COUNTRY if of_other_country and len(wrong) == 1 else None
        found_wrong = [FieldError(key, message) for key, message in wrong.items()]
        raise Invalid.with_fields(found_wrong, code or RequestCode.VALIDATION_FAILED)
    return BillingProfile(**found)


def _other_country(found: Mapping[str, str], wrong: Mapping[str, str]) -> str:
    if not found.get("vat_id") or "country" in wrong:
        return ""
    try:
        require_vat_country(found["vat_id"], found["country"])
    except ValueError as error:
        return error.args[0]
    return ""


def changed(profile: BillingProfile, texts: Mapping[str, str]) -> BillingProfile:
    """The profile with other texts in some of its fields, all of it checked. Raises Invalid."""
    document = {FIELDS[name]: text for name, text in asdict(replace(profile, **texts)).items()}
    return read_profile(document)


def _read(name: str, given: object, found: Mapping[str, str]) -> str:
    text = _text(given, is_number=name == "payment_term_days")
    if not text:
        if name in _REQUIRED or (name == "electronic_address" and found.get("electronic_address_scheme")):
            raise ValueError(Sentence("is required"))
        return ""
    if name == "electronic_address":
        if not found.get("electronic_address_scheme"):
            raise ValueError(Sentence("needs the scheme that it is in"))
        return electronic_address(text, found["electronic_address_scheme"])
    return _RULES.get(name, _plain)(text)


def _text(given: object, *, is_number: bool) -> str:
    if given is None:
        return ""
    if is_number and type(given) is int:
        return str(given)
    if type(given) is not str:
        raise ValueError(Sentence("must be a whole number") if is_number else Sentence("must be text"))
    if _CONTROL.search(given):
        raise ValueError(Sentence("must not contain control characters, such as line breaks or tabs"))
    return _of_length(given.strip(), _LONGEST) if given.strip() else ""


def _plain(text: str) -> str:
    return _of_length(text, 200)


def _short(text: str) -> str:
    return _of_length(text, 40)


def _of_length(text: str, most: int) -> str:
    if len(text) > most:
        raise ValueError(Sentence("must have at most {max_length} characters", max_length=most))
    if character := reordering_character(text):
        raise ValueError(
            Sentence("must not contain U+{code}, which reverses the order of letters", code=f"{ord(character):04X}")
        )
    if not is_visible(text):
        raise ValueError(Sentence("must contain a visible character"))
    return text


def _days(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) > _MOST_DAYS:
        raise ValueError(Sentence("must be a whole number of days from 0 to {most}", most=_MOST_DAYS))
    return str(int(text))


_RULES: Mapping[str, Callable[[str], str]] = {
    "postal_code": _short,
    "country": country,
    "vat_id": vat_id,
    "tax_number": _short,
    "iban": iban,
    "bic": bic,
    "payment_term_days": _days,
    "electronic_address_scheme": scheme,
    "contact_email": email_address,
}
