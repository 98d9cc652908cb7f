"""SQL of billing profiles.

They are written here and nowhere else. Whose rows an organisation keeps is decided by the conditions below: its own,
the operator those of distributors, a distributor those of its partners, a partner those of its storage accounts. Of
what is closed or purged, as long as a statement of it is blocked: the profile may be what it waits for.
"""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

from tonnage.billing_profiles.billing_profile import BillingProfile, ProfileSubject
from tonnage.db import Connection, one_row

_BLOCKED: LiteralString = "b.blocked is not null and b.corrects is null and b.credits is null and b.voided_at is null"

_ORGANISATION: LiteralString = f"""
    (select id from organisation o where id = %(organisation)s and (closed_at is null or exists (
        select from statement b where b.seller_id = %(keeper)s and {_BLOCKED} and (
            b.partner_id = o.id or b.contract_id in (select k.id from contract k where k.distributor_id = o.id)))) and (
        %(keeper)s in (id, parent_id) or kind = 'distributor' and exists (
            select from organisation k where k.id = %(keeper)s and k.kind = 'operator')))"""

_ACCOUNT: LiteralString = f"""
    (select s.id from storage_account s join organisation o on o.id = s.partner_id
     where s.id = %(account)s and s.partner_id = %(keeper)s and o.closed_at is null and (s.purged_at is null or exists (
        select from statement b where b.seller_id = %(keeper)s and {_BLOCKED} and b.account_id = s.id)))"""


class KeptProfile(NamedTuple):
    """A profile as its keeper has it; an empty one in the first revision until it is written."""

    profile: BillingProfile
    revision: int
    own: BillingProfile
    """What the subject has written itself: it counts, if there is one. Empty in its own."""


async def find_profile(conn: Connection, subject: ProfileSubject) -> KeptProfile | None:
    """None: there is no such organisation or account, or it is out of the keeper's scope."""
    text = _FIND_OF_ACCOUNT if subject.organisation_id is None else _FIND_OF_ORGANISATION
    row = await (await conn.execute(text, _params(subject))).fetchone()
    return KeptProfile(BillingProfile.of(row[0]), row[1], BillingProfile.of(row[2])) if row else None


_FIND_OF_ORGANISATION: LiteralString = f"""
    select coalesce(b.profile, '{{}}'), coalesce(b.revision, 1), coalesce(own.profile, '{{}}')
    from {_ORGANISATION} o
    left join billing_profile b on b.organisation_id = o.id and b.keeper_id = %(keeper)s
    left join billing_profile own on own.organisation_id = o.id and own.keeper_id = o.id and o.id <> %(keeper)s"""

_FIND_OF_ACCOUNT: LiteralString = f"""
    select coalesce(b.profile, '{{}}'), coalesce(b.revision, 1), '{{}}'::jsonb
    from {_ACCOUNT} s left join billing_profile b on b.account_id = s.id"""


class BlockedParty(NamedTuple):
    """A buyer of a statement that cannot be frozen, as its seller names it."""

    seller_id: UUID
    name: str


async def blocked_buyer(
    conn: Connection, organisation_id: UUID | None = None, account_id: int | None = None
) -> BlockedParty | None:
    """Of a distributor, a partner or a storage account, closed ones too."""
    cursor = await conn.execute(
        f"""
        select seller_id, document ->> 'buyerName' from statement b where {_BLOCKED} and (
            b.partner_id = %(organisation)s or b.account_id = %(account)s
            or b.contract_id in (select k.id from contract k where k.distributor_id = %(organisation)s))
        limit 1
        """,
        {"organisation": organisation_id, "account": account_id},
    )
    row = await cursor.fetchone()
    return BlockedParty(*row) if row else None


async def hold_profile(conn: Connection, subject: ProfileSubject, now: datetime) -> KeptProfile | None:
    """The same, and its row is held until the transaction ends. The first who writes one inserts it empty, so that of
    two the second waits: no row of an organisation or account is locked for that.
    """
    of_account = subject.organisation_id is None
    await conn.execute(_BEGIN_OF_ACCOUNT if of_account else _BEGIN_OF_ORGANISATION, {**_params(subject), "now": now})
    held = await conn.execute(_HOLD_OF_ACCOUNT if of_account else _HOLD_OF_ORGANISATION, _params(subject))
    if await held.fetchone() is None:
        return None
    # A statement of its own, so that it sees what the one before had to wait for.
    return await find_profile(conn, subject)


_BEGIN_OF_ORGANISATION: LiteralString = f"""
    insert into billing_profile (keeper_id, organisation_id, changed_at)
    select %(keeper)s, o.id, %(now)s from {_ORGANISATION} o on conflict do nothing"""

_BEGIN_OF_ACCOUNT: LiteralString = f"""
    insert into billing_profile (keeper_id, account_id, changed_at)
    select %(keeper)s, s.id, %(now)s from {_ACCOUNT} s on conflict do nothing"""

_HOLD_OF_ORGANISATION: LiteralString = """
    select from billing_profile where organisation_id = %(organisation)s and keeper_id = %(keeper)s for update"""

_HOLD_OF_ACCOUNT: LiteralString = """
    select from billing_profile where account_id = %(account)s and keeper_id = %(keeper)s for update"""


class ProfileUpdate(NamedTuple):
    """What is written beside each other: the profile, the response, and what the audit log says."""

    profile: BillingProfile
    response: bytes
    before: dict[str, Any] | None
    after: dict[str, Any]


async def update_profile(
    conn: Connection, subject: ProfileSubject, update: ProfileUpdate, now: datetime, stamp: str
) -> int:
    """Writes a profile whose row is held; returns its new revision."""
    text = _UPDATE_OF_ACCOUNT if subject.organisation_id is None else _UPDATE_OF_ORGANISATION
    params = {
        **_params(subject),
        "profile": json.dumps(update.profile.as_document()),
        "response": update.response.decode(),
        "before": update.before and json.dumps(update.before),
        "after": json.dumps(update.after),
        "now": now,
        "stamp": stamp,
    }
    return (await one_row(await conn.execute(text, params)))[0]


_CHANGED: LiteralString = """
    update billing_profile set profile = %(profile)s::jsonb, revision = revision + 1, changed_at = %(now)s"""

_UPDATE_OF_ORGANISATION: LiteralString = f"""
    with b as (
        {_CHANGED} where organisation_id = %(organisation)s and keeper_id = %(keeper)s returning *
    )
    select b.revision, save_response(%(stamp)s, %(response)s::json, b.revision),
        audit(%(stamp)s, b.keeper_id, 'organisation.update-billing-profile', b.organisation_id::text,
              %(before)s::jsonb, %(after)s::jsonb)
    from b"""

_UPDATE_OF_ACCOUNT: LiteralString = f"""
    with b as (
        {_CHANGED} where account_id = %(account)s and keeper_id = %(keeper)s returning *
    )
    select b.revision, save_response(%(stamp)s, %(response)s::json, b.revision),
        audit(%(stamp)s, b.keeper_id, 'account.update-billing-profile', b.account_id::text,
              %(before)s::jsonb, %(after)s::jsonb)
    from b"""


async def save_unchanged(conn: Connection, response: bytes | None, revision: int, stamp: str) -> None:
    """Stores the response to a request with an Idempotency-Key that has changed nothing."""
    text = response and response.decode()
    cursor = await conn.execute("select save_response(%s, %s::json, %s)", [stamp, text, revision])
    await cursor.fetchone()


class BuyerProfile(NamedTuple):
    """What a document says about a buyer."""

    profile: BillingProfile
    is_own: bool
    """The buyer has written it; else its seller has."""
    payment_term_days: int | None
    """What the seller grants this buyer, else all of its buyers; None: it has not said. Never what the buyer wrote."""


async def seller_profile(conn: Connection, seller_id: UUID) -> BillingProfile | None:
    """What documents say about a seller; None: it has written none."""
    cursor = await conn.execute(
        "select profile from billing_profile where organisation_id = %(seller)s and keeper_id = %(seller)s",
        {"seller": seller_id},
    )
    row = await cursor.fetchone()
    return (BillingProfile.of(row[0]) or None) if row else None


async def buyer_profiles(
    conn: Connection, seller_id: UUID, organisations: Collection[UUID] = (), accounts: Collection[int] = ()
) -> dict[UUID | int, BuyerProfile]:
    """The profiles that count for a seller's buyers, by their ids; who is missing has none. Closed and purged ones are
    found too: their last month is billed after that.

    A buyer's own profile counts as a whole, else the one that this seller keeps of it.
    """
    cursor = await conn.execute(
        """
        with term as (
            select (profile ->> 'paymentTermDays')::integer as days from billing_profile
            where organisation_id = %(seller)s and keeper_id = %(seller)s
        ), kept as (
            select organisation_id, account_id, profile, keeper_id = organisation_id as is_own from billing_profile
            where organisation_id = any(%(organisations)s::uuid[]) and keeper_id in (organisation_id, %(seller)s)
            union all
            select organisation_id, account_id, profile, false from billing_profile
            where account_id = any(%(accounts)s::bigint[]) and keeper_id = %(seller)s
        ), granted as (
            select kept.*, max((profile ->> 'paymentTermDays')::integer) filter (where not is_own) over (
                partition by organisation_id, account_id) as days
            from kept
        )
        select distinct on (organisation_id, account_id) organisation_id, account_id, profile, is_own,
            coalesce(days, (select days from term))
        from granted where profile <> '{}'
        order by organisation_id, account_id, is_own desc
        """,
        {"seller": seller_id, "organisations": list(organisations), "accounts": list(accounts)},
    )
    return {
        row[0] or row[1]: BuyerProfile(BillingProfile.of(row[2]), row[3], row[4]) for row in await cursor.fetchall()
    }


def _params(subject: ProfileSubject) -> dict[str, object]:
    return {"keeper": subject.keeper_id, "organisation": subject.organisation_id, "account": subject.account_id}
