"""What an entry of the record says has changed, field by field."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from tonnage.access.audit import AuditEntry
from tonnage.wording.catalogue import N_


class Change(NamedTuple):
    """One field. `label` is to be translated where it is known, and `kind` says how the values are written."""

    label: str
    kind: str
    before: Any
    """None: it had no value, or there was nothing yet."""
    after: Any
    """None: likewise, or there is nothing any more."""


_FIELDS: Mapping[str, tuple[str, str]] = {
    "name": (N_("Name"), "text"),
    "nameChanged": (N_("Name changed"), "flag"),
    "description": (N_("Description"), "text"),
    "details": (N_("Name"), "text"),
    "allocatedCapacity": (N_("Allocation"), "allocation"),
    "reservedCapacity": (N_("Reserved"), "size"),
    "allowOverdraft": (N_("Overdraft"), "flag"),
    "contractId": (N_("Contract"), "contract"),
    "costStorageGBCents": (N_("Cents per GB-month"), "text"),
    "currency": (N_("Currency"), "text"),
    "role": (N_("Role"), "role"),
    "prefix": (N_("Starts with"), "text"),
    "requestsPerSecond": (N_("Requests a second"), "text"),
    "required": (N_("Required"), "flag"),
    "reason": (N_("Reason"), "text"),
    "subject": (N_("Subject"), "text"),
    "pendingDeletedAt": (N_("Deletion date"), "moment"),
    "accessKey": (N_("Access key"), "text"),
    "members": (N_("Members"), "count"),
    "contracts": (N_("Contracts"), "count"),
    "failures": (N_("Failed attempts"), "text"),
    "times": (N_("Times"), "number"),
    "hour": (N_("In the hour from"), "moment"),
    "code": (N_("Error code"), "text"),
    "file": (N_("File"), "text"),
    "sessions": (N_("Sessions"), "number"),
    "secondFactor": (N_("With two-factor authentication"), "flag"),
    "newDevice": (N_("New browser"), "flag"),
    "backend": (N_("Storage backend"), "text"),
    "legalName": (N_("Legal name"), "text"),
    "country": (N_("Country"), "text"),
    "vatId": (N_("VAT id"), "text"),
    "iban": (N_("IBAN"), "text"),
    "paymentTermDays": (N_("Payment term in days"), "text"),
    "addressLine1Changed": (N_("Address changed"), "flag"),
    "addressLine2Changed": (N_("Address line 2 changed"), "flag"),
    "postalCodeChanged": (N_("Postal code changed"), "flag"),
    "cityChanged": (N_("City changed"), "flag"),
    "taxNumberChanged": (N_("Tax number changed"), "flag"),
    "bicChanged": (N_("BIC changed"), "flag"),
    "electronicAddressSchemeChanged": (N_("Scheme of the electronic address changed"), "flag"),
    "electronicAddressChanged": (N_("Electronic address changed"), "flag"),
    "buyerReferenceChanged": (N_("Buyer reference changed"), "flag"),
    "contactEmailChanged": (N_("E-mail for statements changed"), "flag"),
    "document": (N_("Documents"), "text"),
    "locale": (N_("Language and format"), "text"),
    "colour": (N_("Colour"), "text"),
    "footerChanged": (N_("Footer changed"), "flag"),
    "freezeDay": (N_("Final on day"), "text"),
    "numberFormat": (N_("Document numbers"), "text"),
    "numberStart": (N_("First number"), "text"),
    "smallBusiness": (N_("Small business, exempt from tax"), "flag"),
    "retentionYears": (N_("Keep documents for years"), "text"),
    "negativeTotal": (N_("A total below zero"), "text"),
    "mailDocuments": (N_("Mail documents to buyers"), "flag"),
    "logo": (N_("Logo"), "flag"),
    "taxRates": (N_("Tax rates"), "text"),
    "admin_url": (N_("Admin API"), "text"),
    "number": (N_("Number"), "text"),
    "numbers": (N_("Numbers"), "text"),
    "original": (N_("Takes back"), "text"),
    "paidOn": (N_("Paid on"), "text"),
    "statements": (N_("Statements"), "number"),
    "adjustments": (N_("Adjustments"), "number"),
    "buyer": (N_("Buyer"), "text"),
    "first": (N_("First"), "text"),
    "last": (N_("Last"), "text"),
    "s3_url": (N_("S3 endpoint"), "text"),
    "iam_url": (N_("IAM endpoint"), "text"),
    "sts_url": (N_("STS endpoint"), "text"),
}

_OF_STATEMENTS = frozenset(
    {
        "statements.number",
        "statements.receive",
        "statements.mail",
        "statements.pay",
        "statements.credit",
        "statements.receive-credit",
        "statements.void",
    }
)
_OF_MONTHS = frozenset({"statements.freeze", "statements.correct"})

_REVISION = "revision"
"""For programs, which compare it: it changes with every entry."""

_NAMES = ("name", "description", "details")
_NAMING = frozenset({*_NAMES, "prefix"})


def changes(entry: AuditEntry) -> list[Change]:
    """Those of an entry, known fields first; what stayed as it was is not among them.

    Nor is the name of what was made or removed: `name_of` returns it.
    """
    before, after = _object(entry.before), _object(entry.after)
    hidden = frozenset[str]() if before and after.keys() - {_REVISION} else _NAMING
    names = [name for name in _FIELDS if name in before or name in after]
    others = [name for name in {**before, **after} if name not in _FIELDS and name != _REVISION]
    return [
        _change(name, before.get(name), after.get(name))
        for name in names + others
        if before.get(name) != after.get(name) and name not in hidden
    ]


def name_of(entry: AuditEntry) -> str | None:
    """What the thing was called when it happened, where the entry says that; the number of a statement."""
    if entry.action in _OF_STATEMENTS:
        return str(_object(entry.after).get("number"))
    for facts in (_object(entry.after), _object(entry.before)):
        for field in _NAMES:
            if facts.get(field):
                return str(facts[field])
    return None


def page_of(entry: AuditEntry) -> str | None:
    """The path of the page of what the entry is about, which only its own organisation can open; None: it has none."""
    if entry.action in _OF_STATEMENTS:
        return f"/statements/{entry.subject_id}"
    if entry.action == "statements.adjust":
        return f"/statements/adjustments/{entry.subject_id}"
    return f"/statements/months/{entry.subject_id}" if entry.action in _OF_MONTHS else None


def contracts_in(entries: Sequence[AuditEntry]) -> set[UUID]:
    """The ids of the contracts that the entries are about or name."""
    contract_ids = [
        facts.get("contractId") for entry in entries for facts in (_object(entry.before), _object(entry.after))
    ]
    about = [entry.subject_id for entry in entries if entry.action.startswith("contract.")]
    return {UUID(str(found)) for found in contract_ids + about if found}


def accounts_in(entries: Sequence[AuditEntry]) -> set[int]:
    """The numbers of the storage accounts that the entries are about."""
    ids = {entry.subject_id for entry in entries if entry.action.startswith("account.")}
    return {int(number) for number in ids if number.isascii() and number.isdigit() and len(number) <= 18}


def _change(field: str, before: Any, after: Any) -> Change:
    label, kind = _FIELDS.get(field, (field, "text"))
    if kind == "moment":
        before, after = _moment(before), _moment(after)
    return Change(label, kind, before, after)


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
