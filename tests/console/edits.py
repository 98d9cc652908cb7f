"""Every form of the console that changes an existing resource, and the reasons why other forms do not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, LiteralString

from tests.cast import TB
from tonnage.access.actor import Kind, Role


@dataclass(frozen=True)
class Change:
    """A field, changed by two people on the same page: the form's fields and the database's value of each."""

    before: Any
    mine: tuple[dict[str, str], Any]
    theirs: tuple[dict[str, str], Any]
    said: tuple[str, str] = ("", "")
    """The values in the sentence of a conflict: the original one, and the other person's."""


@dataclass(frozen=True)
class Edit:
    """One form, and the values that it changes."""

    kind: Kind
    role: Role
    lock: LiteralString
    """Locks the row that is changed, by its id."""
    subject: str
    """The path parameter with the row's id; "" is the member that sends the form."""
    query: str
    changes: Mapping[str, Change] = field(default_factory=dict[str, Change])
    """In the order of the query's columns."""
    by_self: bool = False
    """Only the member itself opens this page; the other person is another window."""


NAME = Change("Before", ({"name": "Mine"}, "Mine"), ({"name": "Theirs"}, "Theirs"), ("“Before”", "“Theirs”"))
REASON = Change(None, ({"reason": "Mine"}, "Mine"), ({"reason": "Theirs"}, "Theirs"), ("–", "“Theirs”"))
OVERDRAFT = Change(False, ({"overdraft": "on"}, True), ({"overdraft": "on"}, True))


LOCALES = ("the browser default", "French (France)")


def size(field: str, before: int, mine: int, theirs: int) -> Change:
    def typed(amount: int) -> dict[str, str]:
        return {field: str(amount), f"{field}_unit": "TB"}

    said = (f"{before}\N{NARROW NO-BREAK SPACE}TB", f"{theirs}\N{NARROW NO-BREAK SPACE}TB")
    return Change(before * TB, (typed(mine), mine * TB), (typed(theirs), theirs * TB), said)


def text(field: str, before: str, mine: str, theirs: str, *, is_said: bool = False) -> Change:
    """A text of a form, "" is none."""
    said = (f"“{before}”", f"“{theirs}”") if is_said else ("", "")
    return Change(before or None, ({field: mine}, mine or None), ({field: theirs}, theirs), said)


PROFILE: Mapping[str, tuple[str, str, str]] = {
    "legal_name": ("Before Ltd", "Mine Ltd", "Theirs Ltd"),
    "address_line1": ("1 Before Row", "1 Mine Row", "1 Theirs Row"),
    "address_line2": ("", "Mine", "Theirs"),
    "postal_code": ("98000", "98001", "98002"),
    "city": ("Monaco", "Mine", "Theirs"),
    "vat_id": ("", "FR40303265045", "FR23334175221"),
    "tax_number": ("", "1", "2"),
    # Its VAT ids are those of France: so each of both can change alone.
    "country": ("MC", "FR", "FR"),
    "iban": ("", "DE89370400440532013000", "AT611904300234573201"),
    "bic": ("", "AGRIFRPP", "BNPAFRPP"),
    "payment_term_days": ("14", "30", "60"),
    "electronic_address_scheme": ("0204", "9930", "0088"),
    "electronic_address": ("1", "2", "3"),
    "buyer_reference": ("", "Mine", "Theirs"),
    "contact_email": ("", "mine@example.org", "theirs@example.org"),
}
"""What a billing profile is before, and what two people make of it."""

SAID_OF_PROFILE = ("legal_name", "city", "payment_term_days")
"""Fields in which two people conflict: two that the audit log shows, and one of which it says that it has changed."""

LOCKS: dict[str, LiteralString] = {
    "api_key": "select from api_key where id = %s for update",
    "billing_profile": "select from billing_profile where organisation_id = %s for update",
    "seller_settings": "select from seller_settings where organisation_id = %s for update",
    "contract": "select from contract where id = %s for update",
    "organisation": "select from organisation where id = %s for update",
    "partner": "select from partner where id = %s for update",
    "storage_account": "select from storage_account where id = %s for update",
    "member": "select from member where id = %s for update",
}


def account(kind: Kind) -> Edit:
    query = "select name, allocated_capacity, allow_overdraft from storage_account where id = %s"
    changes = {"name": NAME, "allocated": size("allocated", 1, 2, 3), "overdraft": OVERDRAFT}
    return Edit(kind, Role.STAFF, LOCKS["storage_account"], "accountID", query, changes)


def suspension(kind: Kind) -> Edit:
    query = "select suspension_reason from storage_account where id = %s"
    return Edit(kind, Role.STAFF, LOCKS["storage_account"], "accountID", query, {"reason": REASON})


def member(kind: Kind, role: Role) -> Edit:
    changes = {
        "name": NAME,
        "role": Change("viewer", ({"role": "staff"}, "staff"), ({"role": "admin"}, "admin"), ("Viewer", "Admin")),
    }
    return Edit(kind, role, LOCKS["member"], "memberID", "select name, role from member where id = %s", changes)


def key_limit(kind: Kind) -> Edit:
    said = ("the default", "30 requests a second")
    limit = Change(None, ({"limit": "20"}, 20), ({"limit": "30"}, 30), said)
    query = "select requests_per_second from api_key where id = %s"
    return Edit(kind, Role.ADMIN, LOCKS["api_key"], "keyID", query, {"limit": limit})


EDITS: dict[str, Edit] = {
    "/operator/contracts/{contractID}": Edit(
        Kind.OPERATOR,
        Role.ADMIN,
        LOCKS["contract"],
        "contractID",
        "select details, reserved_capacity, trim_scale(price_cents)::text from contract where id = %s",
        {
            "details": Change(
                "Before", ({"details": ""}, None), ({"details": "Theirs"}, "Theirs"), ("“Before”", "“Theirs”")
            ),
            "reserved": size("reserved", 100, 120, 150),
            "price": Change("100", ({"price": "90.5"}, "90.5"), ({"price": "1234.5"}, "1234.5"), ("100", "1,234.5")),
        },
    ),
    "/distributor/partners/{partnerID}/allocation": Edit(
        Kind.DISTRIBUTOR,
        Role.STAFF,
        LOCKS["partner"],
        "partnerID",
        "select allocated_capacity, coalesce(allow_overdraft, false) from partner where id = %s",
        {"allocated": size("allocated", 10, 20, 30), "overdraft": OVERDRAFT},
    ),
    "/distributor/partners/{partnerID}/settings": Edit(
        Kind.DISTRIBUTOR, Role.STAFF, LOCKS["organisation"], "partnerID",
        "select name from organisation where id = %s", {"name": NAME},
    ),
    "/distributor/partners/{partnerID}/suspend": Edit(
        Kind.DISTRIBUTOR, Role.STAFF, LOCKS["partner"], "partnerID",
        "select suspension_reason from partner where id = %s", {"reason": REASON},
    ),
    "/distributor/partners/{partnerID}/move": Edit(
        Kind.DISTRIBUTOR,
        Role.STAFF,
        LOCKS["partner"],
        "partnerID",
        "select k.details from partner p join contract k on k.id = p.contract_id where p.id = %s",
        {"contract": Change(
            "Before", ({"contract": "{contract Mine}"}, "Mine"), ({"contract": "{contract Theirs}"}, "Theirs"),
            ("“Before”", "“Theirs”"),
        )},
    ),
    "/partner/accounts/{accountID}/settings": account(Kind.PARTNER),
    "/distributor/partners/{partnerID}/accounts/{accountID}/settings": account(Kind.DISTRIBUTOR),
    "/partner/accounts/{accountID}/suspend": suspension(Kind.PARTNER),
    "/distributor/partners/{partnerID}/accounts/{accountID}/suspend": suspension(Kind.DISTRIBUTOR),
    "/team/{memberID}": member(Kind.PARTNER, Role.ADMIN),
    "/distributor/partners/{partnerID}/members/{memberID}": member(Kind.DISTRIBUTOR, Role.ADMIN),
    "/operator/members/{organisationID}/{memberID}": member(Kind.OPERATOR, Role.ADMIN),
    "/keys/{keyID}/limit": key_limit(Kind.PARTNER),
    "/operator/partners/{partnerID}/keys/{keyID}/limit": key_limit(Kind.OPERATOR),
    "/billing-profile": Edit(
        Kind.PARTNER,
        Role.ADMIN,
        LOCKS["billing_profile"],
        "partnerID",
        "select "
        "profile->>'legalName', profile->>'addressLine1', profile->>'addressLine2', profile->>'postalCode', "
        "profile->>'city', profile->>'vatId', profile->>'taxNumber', profile->>'country', profile->>'iban', "
        "profile->>'bic', profile->>'paymentTermDays', profile->>'electronicAddressScheme', "
        "profile->>'electronicAddress', profile->>'buyerReference', profile->>'contactEmail' "
        "from billing_profile where organisation_id = %s",
        {name: text(name, *texts, is_said=name in SAID_OF_PROFILE) for name, texts in PROFILE.items()},
    ),
    "/billing-settings": Edit(
        Kind.PARTNER,
        Role.ADMIN,
        LOCKS["seller_settings"],
        "partnerID",
        "select document, locale, colour, footer, freeze_day, number_format, number_start, small_business, "
        "retention_years, mail_documents, negative_total from seller_settings where organisation_id = %s",
        {
            "document": Change(
                "statement", ({"document": "invoice"}, "invoice"), ({"document": "invoice"}, "invoice")
            ),
            "locale": text("locale", "en_GB", "de_DE", "fr_FR"),
            "colour": text("colour", "#000000", "#111111", "#222222", is_said=True),
            "footer": text("footer", "Before", "Mine", "Theirs", is_said=True),
            "freeze_day": Change(3, ({"freeze_day": "5"}, 5), ({"freeze_day": "6"}, 6)),
            "number_format": Change(
                "A-{number}", ({"number_format": "B-{{number}}"}, "B-{number}"),
                ({"number_format": "C-{{number}}"}, "C-{number}"),
            ),
            "number_start": Change(1, ({"number_start": "7"}, 7), ({"number_start": "8"}, 8)),
            "small_business": Change(False, ({"small_business": "on"}, True), ({"small_business": "on"}, True)),
            "retention_years": Change(10, ({"retention_years": "11"}, 11), ({"retention_years": "12"}, 12)),
            "mail_documents": Change(False, ({"mail_documents": "on"}, True), ({"mail_documents": "on"}, True)),
            "negative_total": Change(
                "carried", ({"negative_total": "credit-note"}, "credit-note"),
                ({"negative_total": "credit-note"}, "credit-note"),
            ),
        },
    ),
    "/distributor/overdue-statements": Edit(
        Kind.DISTRIBUTOR, Role.ADMIN, LOCKS["seller_settings"], "distributorID",
        "select suspend_overdue_days, suspension_warning_days from seller_settings where organisation_id = %s",
        {
            "suspend_overdue_days": Change(
                0, ({"suspend_overdue_days": "30"}, 30), ({"suspend_overdue_days": "40"}, 40)
            ),
            "suspension_warning_days": Change(
                [7, 3, 1], ({"suspension_warning_days": "9"}, [9]), ({"suspension_warning_days": "8, 2"}, [8, 2])
            ),
        },
    ),
    "/profile/notifications": Edit(
        Kind.PARTNER,
        Role.STAFF,
        LOCKS["member"],
        "",
        """
        select coalesce(max(p.delivery) filter (where p.kind = 'account_alerts'), 'at_once'),
            coalesce(max(p.delivery) filter (where p.kind = 'partner_alerts'), 'at_once'),
            coalesce(max(p.delivery) filter (where p.kind = 'overrides'), 'at_once'),
            coalesce(max(p.delivery) filter (where p.kind = 'deletions'), 'daily'),
            coalesce(max(p.delivery) filter (where p.kind = 'statements'), 'daily'),
            coalesce(max(p.delivery) filter (where p.kind = 'suspensions'), 'at_once'),
            coalesce(max(p.delivery) filter (where p.kind = 'keys'), 'at_once')
        from member m left join notification_preference p on p.member_id = m.id where m.id = %s group by m.id""",
        {
            kind: Change(
                before,
                ({kind: "none"}, "none"),
                ({kind: "weekly"}, "weekly"),
                (said, "Every Monday morning"),
            )
            for kind, before, said in (
                ("account_alerts", "at_once", "At once"),
                ("partner_alerts", "at_once", "At once"),
                ("overrides", "at_once", "At once"),
                ("deletions", "daily", "Every morning"),
                ("statements", "daily", "Every morning"),
                ("suspensions", "at_once", "At once"),
                ("keys", "at_once", "At once"),
            )
        },
        by_self=True,
    ),
    "/profile": Edit(
        Kind.PARTNER,
        Role.STAFF,
        LOCKS["member"],
        "",
        "select name, locale, time_zone from member where id = %s",
        {
            "name": NAME,
            "locale": Change(None, ({"locale": "de_DE"}, "de_DE"), ({"locale": "fr_FR"}, "fr_FR"), LOCALES),
            "time_zone": Change(
                None,
                ({"time_zone": "Asia/Tokyo"}, "Asia/Tokyo"),
                ({"time_zone": "Europe/Berlin"}, "Europe/Berlin"),
                ("UTC", "Europe/Berlin"),
            ),
        },
        by_self=True,
    ),
}  # fmt: skip
"""By the paths of their routes."""

_CREATES = "makes a new thing: there is nothing yet that somebody else could have changed"
_ACTS = "a button: it does what it says, and twice the same is once"
_SECRET = "a new secret replaces the old one, which nobody has seen on the page"
_PROVES = "a secret or code is given and proved; nothing is shown that could have changed"
_CAP = "replaces or removes the cap that the page has shown: tests/overdraft_caps/test_pages.py"
_OVERRIDE = "replaces or ends the override that the page has shown: tests/overrides/test_pages.py"
_OF_BROWSER = "of this browser alone"

NO_EDITS: dict[str, str] = {
    "/distributor/partners/new": _CREATES,
    "/distributor/partners/{partnerID}/accounts/new": _CREATES,
    "/distributor/partners/{partnerID}/members/new": _CREATES,
    "/keys/new": _CREATES,
    "/operator/contracts/new": _CREATES,
    "/operator/distributors/new": _CREATES,
    "/operator/members/{organisationID}/new": _CREATES,
    "/operator/regions/new": _CREATES,
    "/partner/accounts/new": _CREATES,
    "/team/new": _CREATES,
    "/distributor/partners/{partnerID}/accounts/{accountID}/access-keys/new": _CREATES,
    "/partner/accounts/{accountID}/access-keys/new": _CREATES,
    "/distributor/partners/{partnerID}/accounts/{accountID}/access-keys/{accessKey}/delete": _ACTS,
    "/distributor/partners/{partnerID}/accounts/{accountID}/delete": _ACTS,
    "/distributor/partners/{partnerID}/accounts/{accountID}/restore": _ACTS,
    "/distributor/partners/{partnerID}/accounts/{accountID}/resume": _ACTS,
    "/distributor/partners/{partnerID}/delete": _ACTS,
    "/distributor/partners/{partnerID}/resume": _ACTS,
    "/distributor/partners/{partnerID}/lock": _ACTS,
    "/distributor/partners/{partnerID}/unlock": _ACTS,
    "/distributor/partners/{partnerID}/members/{memberID}/lock": _ACTS,
    "/distributor/partners/{partnerID}/members/{memberID}/unlock": _ACTS,
    "/distributor/partners/{partnerID}/members/{memberID}/sessions/end": _ACTS,
    "/distributor/partners/{partnerID}/sessions/{sessionID}/end": _ACTS,
    "/distributor/partners/{partnerID}/members/{memberID}/removal": _ACTS,
    "/distributor/partners/{partnerID}/members/{memberID}/second-factor": _ACTS,
    "/keys/{keyID}/revocation": _ACTS,
    "/operator/distributors/{distributorID}/keys/{keyID}/limit": "the form of a partner's key, for a distributor's",
    "/operator/distributors/{distributorID}/keys/{keyID}/revocation": _ACTS,
    "/operator/partners/{partnerID}/keys/{keyID}/revocation": _ACTS,
    "/distributor/partners/{partnerID}/keys/{keyID}/revocation": _ACTS,
    "/blocks/{blockID}/lift": _ACTS,
    "/operator/jobs/retry": _ACTS,
    "/operator/jobs/{jobID}/retry": _ACTS,
    "/operator/distributors/{distributorID}/close": _ACTS,
    "/operator/distributors/{distributorID}/lock": _ACTS,
    "/operator/distributors/{distributorID}/unlock": _ACTS,
    "/operator/partners/{partnerID}/lock": _ACTS,
    "/operator/partners/{partnerID}/unlock": _ACTS,
    "/operator/members/{organisationID}/{memberID}/lock": _ACTS,
    "/operator/members/{organisationID}/{memberID}/unlock": _ACTS,
    "/operator/members/{organisationID}/{memberID}/sessions/end": _ACTS,
    "/operator/sessions/{organisationID}/{sessionID}/end": _ACTS,
    "/operator/members/{organisationID}/{memberID}/removal": _ACTS,
    "/operator/members/{organisationID}/{memberID}/second-factor": _ACTS,
    "/operator/regions/{region}/default": _ACTS,
    "/operator/regions/{region}/capacity": "what a person has measured: the latest statement counts",
    "/operator/regions/{region}/removal": _ACTS,
    "/operator/regions/{region}/reconcile": _ACTS,
    "/distributor/partners/{partnerID}/billing-profile": "the form of /billing-profile, for a buyer's",
    "/operator/distributors/{distributorID}/billing-profile": "the form of /billing-profile, for a buyer's",
    "/partner/accounts/{accountID}/billing-profile": "the form of /billing-profile, for a buyer's",
    "/distributor/partners/{partnerID}/override": _OVERRIDE,
    "/distributor/partners/{partnerID}/override/end": _OVERRIDE,
    "/distributor/partners/{partnerID}/accounts/{accountID}/override": _OVERRIDE,
    "/distributor/partners/{partnerID}/accounts/{accountID}/override/end": _OVERRIDE,
    "/distributor/partners/{partnerID}/overdraft-cap": _CAP,
    "/partner/accounts/{accountID}/overdraft-cap": _CAP,
    "/partner/accounts/{accountID}/override": _OVERRIDE,
    "/partner/accounts/{accountID}/override/end": _OVERRIDE,
    "/prices/new": _CREATES,
    "/prices/{bookID}/versions/new": _CREATES,
    "/prices/{bookID}/versions/{number}": "a draft is replaced whole, in the revision that the form was made from:"
    " tests/console/test_prices.py",
    "/prices/{bookID}/versions/{number}/publish": _ACTS,
    "/prices/{bookID}/versions/{number}/correct": _ACTS,
    "/prices/{bookID}/versions/{number}/delete": _ACTS,
    "/operator/contracts/{contractID}/prices": _CREATES,
    "/distributor/contracts/{contractID}/prices": _CREATES,
    "/distributor/partners/{partnerID}/prices": _CREATES,
    "/partner/prices/accounts": _CREATES,
    "/partner/accounts/{accountID}/prices": _CREATES,
    "/statements/{statementID}/payment": _CREATES,
    "/statements/adjustments/new": _CREATES,
    "/statements/{statementID}/credit-note": _CREATES,
    "/statements/{statementID}/lines/{line}/credit-note": _CREATES,
    "/statements/{statementID}/void": _ACTS,
    "/statements/months/{month}/freeze": _ACTS,
    "/billing-settings/logo": "a picture replaces another as a whole",
    "/billing-settings/logo/removal": _ACTS,
    "/tax-rates": _CREATES,
    "/tax-rates/{validFrom}/removal": _ACTS,
    "/partner/accounts/{accountID}/access-keys/{accessKey}/delete": _ACTS,
    "/partner/accounts/{accountID}/delete": _ACTS,
    "/partner/accounts/{accountID}/restore": _ACTS,
    "/partner/accounts/{accountID}/resume": _ACTS,
    "/profile/second-factor/setup/begin": _PROVES,
    "/profile/second-factor/setup": _PROVES,
    "/profile/second-factor/recovery-codes": _PROVES,
    "/profile/second-factor/removal": _PROVES,
    "/inbox/read": _ACTS,
    "/webhooks/new": _CREATES,
    "/webhooks/{webhookID}/test": _ACTS,
    "/webhooks/{webhookID}/enable": _ACTS,
    "/webhooks/{webhookID}/disable": _ACTS,
    "/webhooks/{webhookID}/secrets/new": _SECRET,
    "/webhooks/{webhookID}/secrets/{secretID}/revocation": _ACTS,
    "/webhooks/{webhookID}/deliveries/{deliveryID}/replay": _ACTS,
    "/webhooks/{webhookID}/settings": "it is changed whole, in the revision that the form was made from:"
    " tests/console/test_webhook_settings.py",
    "/webhooks/{webhookID}/deletion": _ACTS,
    "/alerts": _CREATES,
    "/alerts/inherited": _ACTS,
    "/partner/contact-mails": _ACTS,
    "/unsubscribe/{token}": _ACTS,
    "/unsubscribe/contact/{token}": _ACTS,
    "/profile/sessions/others/end": _ACTS,
    "/profile/sessions/{sessionID}/end": _ACTS,
    "/team/second-factor/optional": _ACTS,
    "/team/second-factor/required": _ACTS,
    "/team/{memberID}/lock": _ACTS,
    "/team/{memberID}/unlock": _ACTS,
    "/team/{memberID}/sessions/end": _ACTS,
    "/team/sessions/{sessionID}/end": _ACTS,
    "/team/{memberID}/removal": _ACTS,
    "/team/{memberID}/second-factor": _ACTS,
    "/distributor/partners/{partnerID}/accounts/{accountID}/password": _SECRET,
    "/distributor/partners/{partnerID}/members/{memberID}/password": _SECRET,
    "/operator/members/{organisationID}/{memberID}/password": _SECRET,
    "/partner/accounts/{accountID}/password": _SECRET,
    "/team/{memberID}/password": _SECRET,
    "/profile/password": _PROVES,
    "/sign-in": _PROVES,
    "/sign-in/code": _PROVES,
    "/sign-in/forgotten": _PROVES,
    "/sign-in/new-password": _PROVES,
    "/sign-in/link": _PROVES,
    "/sign-in/device": _PROVES,
    "/sign-out": _OF_BROWSER,
    "/theme": _OF_BROWSER,
}
"""Other forms, each with the reason why it needs no original values."""

CREATIONS = frozenset(path for path, reason in NO_EDITS.items() if reason == _CREATES)
"""Their fields may begin with a proposal."""
