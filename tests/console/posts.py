"""What each POST of the console requires: the sender, the fields, and a prior statement."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.api.test_authorization import PNG
from tonnage.access.actor import Kind

WORD = "Sesame-opens-2"

_SUSPENDED = "update storage_account set suspended_at = %(now)s, suspension_reason = 'Unpaid' where id = %(account)s"
_SUSPENDED_PARTNER = """
    update partner set suspended_at = %(now)s, suspension_reason = 'Unpaid', suspension_cause = 'person'
    where id = %(partnerID)s"""
_DELETED = """
    update storage_account set deletion_requested_at = %(now)s, pending_deleted_at = %(later)s where id = %(account)s"""
_FACTOR = "update member set second_factor_enabled_at = %(now)s where id = %(member)s"
_REQUIRED = """
    with m as (update member set second_factor_enabled_at = %(now)s where id = %(self)s)
    update organisation set second_factor_required = true where id = %(own)s"""
_MEMBER_LOCKED = "update member set locked_at = %(now)s where id = %(member)s"
_LOCKED = """
    update organisation set locked_at = %(now)s, lock_reason = 'Unpaid', locked_by_id = %(own)s where id = %({id})s"""
_CLUSTER = """
    update region set backend = 'ceph', admin_url = 'http://rgw.invalid', connected_at = %(now)s
    where name = %(region)s"""
_FAILED = "update procrastinate_jobs set status = 'failed', attempts = 2 where args->>'subject' = %(subject)s"
_WITH_LOGO = "insert into seller_settings (organisation_id, logo, changed_at) values (%(own)s, 'a', %(now)s)"
_WITH_RATE = "insert into tax_rate (organisation_id, valid_from, percent) values (%(own)s, %(validFrom)s, 19)"
_WITH_DRAFT = """
    insert into price_version (book_id, number, valid_from, reserved, prorate_minimums, created_at)
    values (%(bookID)s, 1, '2026-12-01', 1, true, %(now)s)"""
_DISABLED_WEBHOOK = """
    update webhook_endpoint set disabled_at = %(now)s, disabled_reason = 'gone' where id = %(webhookID)s"""
PRESENT = "7f0a6f2b-4f7e-4a51-9d7a-0f6d4c1b2a3e"
_OVERRIDE = {"until": "2026-03-20", "reason": "Migration", "present": ""}
_OVERRIDDEN_ACCOUNT = f"""
    with v as (
        insert into capacity_override (id, account_id, capacity, valid_from, valid_until, is_free, reason)
        values ('{PRESENT}', %(account)s, 5000000000000, %(now)s, '2026-03-21T00:00Z', true, 'Migration')
        on conflict (id) do update set account_id = %(account)s, partner_id = null, ended_at = null,
            capacity = 5000000000000
    ), p as (
        update partner set overrides_of_accounts = 5000000000000 - s.allocated_capacity
        from storage_account s where s.id = %(account)s and partner.id = s.partner_id
    )
    update storage_account set override_capacity = 5000000000000, override_until = '2026-03-21T00:00Z'
    where id = %(account)s"""
_OVERRIDDEN_PARTNER = f"""
    with v as (
        insert into capacity_override (id, partner_id, capacity, valid_from, valid_until, is_free, reason)
        values ('{PRESENT}', %(partnerID)s, 20000000000000, %(now)s, '2026-03-21T00:00Z', true, 'Migration')
        on conflict (id) do update set partner_id = %(partnerID)s, account_id = null, ended_at = null,
            capacity = 20000000000000
    ), k as (
        update contract set allocated_capacity = contract.allocated_capacity + 20000000000000 - p.allocated_capacity
        from partner p where p.id = %(partnerID)s and contract.id = p.contract_id
    )
    update partner set override_capacity = 20000000000000, override_until = '2026-03-21T00:00Z'
    where id = %(partnerID)s"""
_CAP = {"unit": "TB", "limit": "1", "present": ""}
_WITH_OVERDRAFT = "update storage_account set allow_overdraft = true where id = %(account)s"
_NOTIFICATIONS = (
    "account_alerts",
    "partner_alerts",
    "contract_alerts",
    "overrides",
    "deletions",
    "statements",
    "suspensions",
    "keys",
)
PROFILE = {"legal_name": "Zebra Ltd", "address_line1": "1 Harbour Row", "city": "Hull", "country": "GB"}


@dataclass(frozen=True)
class Post:
    """`path` as in the route table."""

    path: str
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    after: str = ""
    """A statement that establishes the state in which this is possible."""

    @property
    def kind(self) -> Kind:
        """The audience of the page; pages of all audiences are tested as a distributor."""
        return {"operator": Kind.OPERATOR, "partner": Kind.PARTNER}.get(self.path.split("/")[1], Kind.DISTRIBUTOR)


def _locks(path: str) -> list[Post]:
    locked = _LOCKED.format(id=path.split("{")[1].split("}", maxsplit=1)[0])
    return [Post(f"{path}/lock", {"reason": "Unpaid"}), Post(f"{path}/unlock", after=locked)]


def _account(prefix: str) -> list[Post]:
    one = prefix + "/{accountID}"
    new = {"name": "New", "email": "{email}", "password": WORD, "allocated": "1 TB"}
    return [
        Post(f"{prefix}/new", new),
        Post(f"{one}/settings", {"name": "Renamed", "allocated": "1 TB"}),
        Post(f"{one}/password", {"password": WORD}),
        Post(f"{one}/suspend", {"reason": "Unpaid"}),
        Post(f"{one}/resume", after=_SUSPENDED),
        Post(f"{one}/override", {**_OVERRIDE, "capacity": "5 TB"}),
        Post(f"{one}/override/end", {"present": PRESENT}, after=_OVERRIDDEN_ACCOUNT),
        *([Post(f"{one}/overdraft-cap", _CAP, after=_WITH_OVERDRAFT)] if prefix == "/partner/accounts" else []),
        Post(f"{one}/delete"),
        Post(f"{one}/restore", after=_DELETED),
    ]


def _members(prefix: str) -> list[Post]:
    return [
        Post(f"{prefix}/new", {"email": "{email}", "role": "viewer", "password": WORD}),
        Post(prefix + "/{memberID}", {"name": "Renamed", "role": "staff"}),
        Post(prefix + "/{memberID}/password", {"password": WORD}),
        Post(prefix + "/{memberID}/second-factor", after=_FACTOR),
        Post(prefix + "/{memberID}/lock"),
        Post(prefix + "/{memberID}/unlock", after=_MEMBER_LOCKED),
        Post(prefix + "/{memberID}/sessions/end"),
        Post(prefix + "/{memberID}/removal"),
    ]


POSTS = [
    *_account("/distributor/partners/{partnerID}/accounts"),
    *_account("/partner/accounts"),
    *_members("/distributor/partners/{partnerID}/members"),
    *_members("/operator/members/{organisationID}"),
    *_members("/team"),
    *_locks("/distributor/partners/{partnerID}"),
    *_locks("/operator/partners/{partnerID}"),
    *_locks("/operator/distributors/{distributorID}"),
    Post("/distributor/partners/new", {"contract": "{contractID}", "name": "New", "allocated": "1 TB"}),
    Post("/distributor/partners/{partnerID}/allocation", {"allocated": "11 TB"}),
    Post("/distributor/partners/{partnerID}/override", {**_OVERRIDE, "capacity": "20 TB"}),
    Post("/distributor/partners/{partnerID}/override/end", {"present": PRESENT}, after=_OVERRIDDEN_PARTNER),
    Post(
        "/distributor/partners/{partnerID}/overdraft-cap",
        _CAP,
        after="update partner set allow_overdraft = true where id = %(partnerID)s",
    ),
    Post("/distributor/partners/{partnerID}/settings", {"name": "Renamed"}),
    Post("/distributor/partners/{partnerID}/move", {"contract": "{otherContractID}"}),
    Post("/distributor/overdue-statements", {"suspend_overdue_days": "30", "suspension_warning_days": "7, 3"}),
    Post("/distributor/partners/{partnerID}/suspend", {"reason": "Unpaid"}),
    Post("/distributor/partners/{partnerID}/resume", after=_SUSPENDED_PARTNER),
    Post("/distributor/partners/{partnerID}/delete"),
    Post("/operator/distributors/new", {"name": "New"}),
    Post("/operator/distributors/{distributorID}/close"),
    Post(
        "/operator/contracts/new",
        {"distributor": "{distributorID}", "reserved": "5 TB", "price": "100", "currency": "EUR"},
    ),
    Post("/operator/contracts/{contractID}", {"details": "Renamed", "reserved": "200 TB", "price": "90"}),
    Post(
        "/operator/regions/new",
        {"name": "{newRegion}", "s3": "https://s3.example", "iam": "https://iam.example", "sts": "https://sts.example"},
    ),
    Post("/operator/regions/{region}/reconcile", after=_CLUSTER),
    Post("/operator/regions/{region}/default"),
    Post("/operator/regions/{region}/capacity", {"capacity": "5 PB"}),
    Post("/operator/regions/{region}/removal"),
    Post("/operator/jobs/retry", after=_FAILED),
    Post("/operator/jobs/{jobID}/retry", after=_FAILED),
    Post("/team/second-factor/required"),
    Post("/team/second-factor/optional", after=_REQUIRED),
    Post("/keys/new", {"description": "New", "role": "viewer"}),
    Post("/keys/{keyID}/limit", {"limit": "20"}),
    Post("/keys/{keyID}/revocation"),
    Post("/operator/distributors/{distributorID}/keys/{keyID}/limit", {"limit": "20"}),
    Post("/operator/distributors/{distributorID}/keys/{keyID}/revocation"),
    Post("/operator/partners/{partnerID}/keys/{keyID}/limit", {"limit": "20"}),
    Post("/operator/partners/{partnerID}/keys/{keyID}/revocation"),
    Post("/distributor/partners/{partnerID}/keys/{keyID}/revocation"),
    *(
        Post(path, PROFILE)
        for path in (
            "/billing-profile",
            "/distributor/partners/{partnerID}/billing-profile",
            "/operator/distributors/{distributorID}/billing-profile",
            "/partner/accounts/{accountID}/billing-profile",
        )
    ),
    Post(
        "/billing-settings",
        {
            "document": "invoice",
            "locale": "de_DE",
            "colour": "#123456",
            "freeze_day": "4",
            "number_start": "1",
            "number_format": "{{number}}",
            "retention_years": "10",
            "negative_total": "carried",
        },
    ),
    Post("/billing-settings/logo", {"logo": f"data:;base64,{PNG}"}),
    Post("/billing-settings/logo/removal", after=_WITH_LOGO),
    Post("/tax-rates", {"valid_from": "2027-01-01", "percent": "20"}),
    Post("/tax-rates/{validFrom}/removal", after=_WITH_RATE),
    Post("/prices/new", {"name": "New", "currency": "EUR"}),
    Post("/prices/{bookID}/versions/new", {"valid_from": "2026-12-01", "reserved": "1"}),
    Post("/prices/{bookID}/versions/{number}", {"valid_from": "2026-12-02"}, after=_WITH_DRAFT),
    Post("/prices/{bookID}/versions/{number}/publish", after=_WITH_DRAFT),
    Post("/prices/{bookID}/versions/{number}/correct", after=_WITH_DRAFT),
    Post("/prices/{bookID}/versions/{number}/delete", after=_WITH_DRAFT),
    *(
        Post(path, {"book": "{bookID}", "valid_from": "2026-12-01"})
        for path in (
            "/operator/contracts/{contractID}/prices",
            "/distributor/contracts/{contractID}/prices",
            "/distributor/partners/{partnerID}/prices",
            "/partner/prices/accounts",
            "/partner/accounts/{accountID}/prices",
        )
    ),
    Post("/statements/{statementID}/payment", {"paid_on": "2026-03-14", "reference": "Line 4"}),
    Post("/statements/{statementID}/credit-note", {"reason": "Outage"}),
    Post("/statements/{statementID}/lines/{line}/credit-note", {"amount": "0.01", "reason": "Outage"}),
    Post("/statements/{statementID}/void", {"reason": "Wrong address"}),
    Post(
        "/statements/adjustments/new",
        {"buyer": "{partnerID}", "amount": "-5.00", "currency": "EUR", "reason": "Outage"},
    ),
    Post("/statements/months/{month}/freeze"),
    Post("/webhooks/new", {"url": "https://example.com/hooks", "type.key.created": "on"}),
    Post("/webhooks/{webhookID}/test"),
    Post("/webhooks/{webhookID}/enable", after=_DISABLED_WEBHOOK),
    Post("/webhooks/{webhookID}/disable"),
    Post("/webhooks/{webhookID}/secrets/new", after="delete from webhook_secret where id = %(secretID)s"),
    Post("/webhooks/{webhookID}/secrets/{secretID}/revocation"),
    Post("/webhooks/{webhookID}/deliveries/{deliveryID}/replay"),
    Post("/webhooks/{webhookID}/settings", {"url": "https://example.com/other", "revision": "1"}),
    Post("/webhooks/{webhookID}/deletion"),
    Post("/alerts", {"levels": "40, 60"}),
    Post("/partner/contact-mails", {"enabled": "no"}),
    Post("/alerts/inherited", after="insert into alert_levels (organisation_id, levels) values (%(own)s, '{70}')"),
    Post("/profile/notifications", dict.fromkeys(_NOTIFICATIONS, "weekly")),
    Post("/blocks/{blockID}/lift"),
    Post("/team/sessions/{sessionID}/end"),
    Post("/operator/sessions/{organisationID}/{sessionID}/end"),
    Post("/distributor/partners/{partnerID}/sessions/{sessionID}/end"),
]

_TEAMS = ("/team", "/operator/members/{organisationID}", "/distributor/partners/{partnerID}/members")

NEEDS_PROOF: Mapping[str, Mapping[str, str]] = {
    **{
        path: fields
        for team in _TEAMS
        for path, fields in {
            f"{team}/new": {"role": "admin"},
            team + "/{memberID}": {"role": "admin"},
            team + "/{memberID}/password": {},
            team + "/{memberID}/second-factor": {},
        }.items()
    },
    "/keys/new": {"role": "admin"},
    "/team/second-factor/optional": {},
    "/distributor/partners/{partnerID}/lock": {},
    "/operator/partners/{partnerID}/lock": {},
    "/operator/distributors/{distributorID}/lock": {},
    "/operator/distributors/{distributorID}/close": {},
}
"""POSTs that need a proof of who sends them which is not older than ten minutes; the fields with which they do."""

WITHOUT_ENTRY = {
    "/theme": "a cookie of the browser",
    "/sign-in/forgotten": "sends a mail; nothing is changed, and requests are counted by the hour",
    "/sign-in/link": "likewise",
    "/inbox/read": "how far a member has read",
    "/profile": "how a member reads the console: language, time zone, its own name",
    "/profile/second-factor/setup/begin": "nothing is set up before the code is confirmed, and that is audited",
}
"""POSTs that leave no audit entry, and why."""

SHOWN_ELSEWHERE = {
    "/sign-in/new-password": "tests/authentication/test_reset.py: needs the link of a mail",
    "/sign-in": "tests/console/test_security_events.py",
    "/sign-in/code": "tests/console/test_security_events.py",
    "/sign-in/device": "tests/console/test_sign_in_link.py",
    "/sign-out": "tests/console/test_security_events.py",
    "/profile/sessions/{sessionID}/end": "tests/console/test_security_events.py",
    "/unsubscribe/contact/{token}": "tests/contact_mails/test_contact_doors.py: needs a signed link",
    "/unsubscribe/{token}": "tests/console/test_notifications.py: needs a signed link",
    "/profile/sessions/others/end": "tests/console/test_security_events.py",
    "/profile/password": "test_members_own_credentials",
    "/profile/second-factor/setup": "test_members_own_credentials",
    "/profile/second-factor/recovery-codes": "test_members_own_credentials",
    "/profile/second-factor/removal": "test_members_own_credentials",
    "/partner/accounts/{accountID}/access-keys/new": "tests/access_keys/test_actions.py: needs a cluster",
    "/partner/accounts/{accountID}/access-keys/{accessKey}/delete": "likewise",
    "/distributor/partners/{partnerID}/accounts/{accountID}/access-keys/new": "likewise",
    "/distributor/partners/{partnerID}/accounts/{accountID}/access-keys/{accessKey}/delete": "likewise",
}
"""POSTs whose entries other tests check."""
