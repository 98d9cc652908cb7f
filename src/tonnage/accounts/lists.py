"""SQL of the pages of storage accounts: lists with search, filters, sorting and pagination.

`scope` is a partner, its distributor, or None for the operator, who sees all accounts.

Measured with a partner of 50,000 accounts: a page of the newest 25 ms, by use 45, the last page 50, a search 20 to 35.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.accounts.extended_queries import PROVISIONING, STATE
from tonnage.accounts.queries import EFFECTIVE
from tonnage.db import Connection, streamed
from tonnage.email_address import email_search
from tonnage.keyset import Sort, bigint, by_name, day, float8, numeric, text, timestamptz
from tonnage.lists import (
    ListSpec,
    ListState,
    PageOf,
    each,
    page_columns,
    page_ctes,
    page_of,
    page_order,
    page_params,
    sort_columns,
)
from tonnage.money import Money
from tonnage.partners.forecast_lists import ACCOUNT_FORECAST, FULL_DAY


class AccountRow(NamedTuple):
    """An account that is not purged. Capacities in bytes."""

    id: int
    name: str
    contact_email: str
    partner_id: UUID
    partner: str
    distributor: str
    region: str
    allocated: int
    """0: pay-per-use."""
    overdraft: bool
    used: int
    objects: int | None
    """None: never counted."""
    created_at: datetime
    pending_deleted_at: datetime | None
    state: str
    """`normal`, `warned`, `no_new_data` or `closed`."""
    state_cause: str | None
    """`person`, `partner` or `overdue` (its partner is suspended), `deletion`, `quota`, `level`; None: normal."""
    level: int | None
    """The highest alert level that it has reached, percent."""
    provisioning: str
    """`metered` (there is no cluster), `pending`, `rejected` or `done`."""
    fee_currency: str | None
    net: Decimal | None
    """What it is charged for the month of the list, in a list for its partner; None: nothing is sold to it."""
    has_several_currencies: bool
    """Among its prices of the month: it has no net."""
    full_by: date | None
    """By then it is full with a probability of 50 percent, as forecasts/ says; None: there is no forecast of days."""

    @property
    def is_closed(self) -> bool:
        """Whether it is suspended: by itself, or with its partner."""
        return self.state == "closed"

    @property
    def fee(self) -> Money | None:
        """The net as an amount of money."""
        return Money(self.net, self.fee_currency) if self.net is not None and self.fee_currency else None


_COLUMNS: LiteralString = f"""
    s.id, s.name, s.contact_email, s.partner_id, o.name, d.name, r.name, s.allocated_capacity, s.allow_overdraft,
    u.used, u.objects, s.created_at, s.pending_deleted_at, st.state, st.cause, st.level, {PROVISIONING},
    n.currency, n.net, coalesce(n.problem = 'several_currencies', false), f.likely"""

_SORTS: Mapping[str, Sort] = {
    "created": (bigint("s.seq"),),
    "name": by_name("s", bigint),
    "email": (text('s.contact_email_key collate "C"'),),
    "allocated": (bigint("s.allocated_capacity"), bigint("s.seq")),
    "used": (bigint("u.used"), bigint("u.account_id")),
    "load": (
        float8("case when s.allocated_capacity > 0 then u.used::float8 / s.allocated_capacity else -1 end"),
        bigint("s.seq"),
    ),
    "objects": (bigint("coalesce(u.objects, -1)"), bigint("u.account_id")),
    "full": (day(FULL_DAY), bigint("s.seq")),
    "deletion": (timestamptz("coalesce(s.pending_deleted_at, 'infinity')"), bigint("s.seq")),
}

ACCOUNTS = ListSpec(
    sorts=_SORTS,
    filters=("pay-per-use", "near", "over", "deletion", "suspended"),
    descending_by_default=frozenset({"created", "allocated", "used", "load", "objects"}),
    preserve=("partner",),
)
"""The filters and sort keys of a list of accounts. `load` is use divided by allocation; `deletion` is the purge date of
accounts that are scheduled for deletion."""

OWN_ACCOUNTS = replace(
    ACCOUNTS,
    sorts={
        **_SORTS,
        "fee": (
            text("coalesce(n.currency::text, '') collate \"C\""),
            numeric("coalesce(n.net, 0)"),
            bigint("s.seq"),
        ),
    },
    filters=(*ACCOUNTS.filters, "charged"),
    descending_by_default=ACCOUNTS.descending_by_default | {"fee"},
    preserve=("month",),
)
"""The same for their partner, with what it charges them: others do not see that. By currency, then by amount."""

# Multiplied by ten to compare whole numbers; as numeric, since the product may exceed bigint.
_NEAR: LiteralString = f"""
    s.allocated_capacity > 0 and u.used <= {EFFECTIVE}
    and u.used::numeric * 10 >= {EFFECTIVE}::numeric * 9"""

_FILTERS: Mapping[str, LiteralString] = {
    "": "true",
    "pay-per-use": "s.allocated_capacity = 0",
    "near": _NEAR,
    "over": f"s.allocated_capacity > 0 and u.used > {EFFECTIVE}",
    "deletion": "s.pending_deleted_at is not null",
    "suspended": """(s.suspended_at is not null
        or s.partner_id in (select id from partner where suspended_at is not null))""",
    "charged": "n.net <> 0",
}

# Its index is of the rows with an account: the database has to know that this is one.
_NET: LiteralString = (
    "left join month_net n on n.account_id = s.id and n.account_id is not null and n.month = %(month)s"
)
_NO_NET: LiteralString = "left join month_net n on false"

_OF_PARTNER: LiteralString = """
    and s.partner_id = %(partner)s and (%(scope)s::uuid is null or exists (
        select from partner p where p.id = %(partner)s and %(scope)s in (p.id, p.distributor_id)))"""

_OF_SCOPE: LiteralString = """
    and s.partner_id in (select p.id from partner p where %(scope)s in (p.id, p.distributor_id))"""

_SEARCHED: LiteralString = """
    and (strpos(s.name_key, %(search_key)s) > 0 or strpos(s.contact_email_key, %(email_key)s) > 0
        or strpos(s.contact_email, %(email_text)s) > 0"""

_NUMBERED: LiteralString = """
    or strpos(s.id::text, %(search)s) > 0"""


def _rows(scope: UUID | None, partner_id: UUID | None, state: ListState) -> LiteralString:
    """As for partners: see partners/lists.py."""
    sort = state.sort_columns
    owned = _OF_PARTNER if partner_id else _OF_SCOPE if scope else ""
    chosen = f"s.purged_at is null and {_FILTERS[state.filter]} {owned} {_searched(state.search)}"
    # PostgreSQL does not see that the forecasts, which decide nothing, add no rows.
    plain = state.sort == "full" and not state.search and not state.filter
    counted: LiteralString = f"(select s.id from storage_account s where {chosen}) s" if plain else "found"
    return f"""
        with found as {"materialized" if state.search else "not materialized"} (
            select s.id, {sort_columns(sort)} from {_found_in(state)}
            where {chosen}
        ), {page_ctes(state, sort, counted)}
        select {page_columns(state, sort)}, {_COLUMNS}
        from counted left join (
            chosen c
            join lateral (select * from storage_account where id = c.id offset 0) s on true
            join lateral (select used, objects from account_usage where account_id = s.id offset 0) u on true
            join lateral (select * from region where id = s.region_id offset 0) r on true
            join lateral (select * from organisation where id = s.partner_id offset 0) o on true
            join lateral (select name from organisation where id = o.parent_id offset 0) d on true
            join lateral {STATE} st on true
            {_NET if "fee" in state.spec.sorts else _NO_NET} {ACCOUNT_FORECAST}
        ) on true
        order by {page_order(state, sort)}
        """


def _found_in(state: ListState) -> LiteralString:
    """The rows `s` that a list chooses from, with what was measured as `u` if it is sorted or filtered by that.

    The narrow table alone, where that is enough: joining all accounts of the operator would double the time.
    """
    if state.sort in {"used", "objects"} and not state.filter and not state.search:
        return "account_usage u cross join lateral (select u.account_id as id, u.partner_id, u.purged_at) s"
    net = _NET if state.sort == "fee" or state.filter == "charged" else ""
    net = f"{net} {ACCOUNT_FORECAST}" if state.sort == "full" else net
    if state.sort in {"used", "load", "objects"} or state.filter in {"near", "over"}:
        return f"storage_account s join account_usage u on u.account_id = s.id {net}"
    return f"storage_account s {net}"


def _searched(text: str) -> LiteralString:
    """The account's number is cast to text only if the search text is a number."""
    if not text:
        return ""
    return _SEARCHED + (_NUMBERED if text.isdecimal() else "") + ")"


async def account_rows(
    conn: Connection, scope: UUID | None, partner_id: UUID | None, state: ListState, month: date
) -> PageOf[AccountRow]:
    """A page of the accounts, without purged ones, of a partner, or for None of all partners in the scope."""
    params = {**_params(scope, partner_id, state, month), **page_params(state)}
    cursor = await conn.execute(_rows(scope, partner_id, state), params)
    return page_of(await cursor.fetchall(), state, AccountRow)


def every_account(
    conn: Connection, scope: UUID | None, partner_id: UUID | None, state: ListState, month: date
) -> AsyncGenerator[AccountRow]:
    """All rows of the same list, for exports of any length. For the connection see `db.streamed`."""
    whole = state.whole
    params = {**_params(scope, partner_id, state, month), **page_params(whole)}
    return each(streamed(conn, _rows(scope, partner_id, whole), params), AccountRow)


def _params(scope: UUID | None, partner_id: UUID | None, state: ListState, month: date) -> dict[str, object]:
    return {
        "scope": scope,
        "partner": partner_id,
        "search": state.search,
        "month": month.replace(day=1),
        **email_search(state.search),
    }
