"""SQL of the month to date: the charges for use beyond allocations, at the prices of each day.

Of what rating.py charges, the use of partners at the price of excess in their contracts: all of it where the operator
has no price books. `scope` is the distributor of the contract or partner; None is the operator.

The database needs some 20 microseconds of CPU for a partner with use on each of 24 days: 2 s for 100,000 of them. With
a cold cache it takes several times that, so a page of many partners loads the fee in a second request.
"""

import json
from datetime import date
from decimal import Decimal
from typing import LiteralString
from uuid import UUID

from tonnage.billing.month import days_in
from tonnage.billing.month_to_date import MonthToDate
from tonnage.db import Connection
from tonnage.money import CURRENCIES, Money, digits
from tonnage.usage.lists import DAYS

_MINOR_UNITS = json.dumps({currency: 10 ** digits(currency) for currency in sorted(CURRENCIES)})
"""The number of smallest units in one unit of a currency, since the database does not know the digits of currencies."""

# One partner after the other, in order of id: the index on their days is read in that order, each page once. Of two
# terms with the same instant the later written has the higher id; the earlier one then applies to no day.
CHARGES: LiteralString = f"""
    prices as materialized (
        select t.contract_id, t.price_cents, t.valid_from::date as since,
            lead(t.valid_from::date, 1, 'infinity')
                over (partition by t.contract_id order by t.valid_from, t.id) as until,
            (%(minor_units)s::jsonb ->> k.currency)::numeric as minor_units
        from priced join contract k on k.id = priced.contract_id join contract_terms t on t.contract_id = k.id
    ), charges as (
        select owned.partner_id, l.contract_id, l.price_cents, l.byte_days, l.first_day, l.last_day,
            round_half_away(l.byte_days * l.price_cents * l.minor_units, 1e11 * %(days)s) as amount
        from owned cross join lateral (
            select t.contract_id, c.price_cents, c.minor_units, sum(d.usage - t.allocated_capacity) as byte_days,
                min(d.day) as first_day, max(d.day) as last_day
            from (
                select contract_id, allocated_capacity, valid_from::date as since,
                    lead(valid_from::date, 1, 'infinity') over (order by valid_from, id) as until
                from partner_terms where partner_id = owned.partner_id
                offset 0
            ) t
            join ({DAYS} offset 0) d on d.day >= t.since and d.day < t.until
            join prices c on c.contract_id = t.contract_id and d.day >= c.since and d.day < c.until
            where d.usage > t.allocated_capacity
            group by t.contract_id, c.price_cents, c.minor_units
            offset 0
        ) l
    )"""
"""After rows `priced (contract_id)` and `owned (partner_id)`: the lines of those partners under those contracts.

The amount is in the smallest units of the currency: prices are hundredths of it, and 10^9 bytes are a GB. Division
comes last. Parameters: those of `month_parameters`.
"""

_SUMS: LiteralString = "coalesce(sum(c.byte_days), 0), coalesce(sum(c.amount), 0)"


async def month_of_contract(conn: Connection, scope: UUID | None, contract_id: UUID, today: date) -> MonthToDate | None:
    """For the days on which partners were under the contract at the end of the day; their use under other contracts is
    not included."""
    cursor = await conn.execute(
        f"""
        with k as (
            select id, currency from contract
            where id = %(contract)s and (%(scope)s::uuid is null or distributor_id = %(scope)s)
        ), priced as (
            select id as contract_id from k
        ), owned as materialized (
            select distinct t.partner_id from k join partner_terms t on t.contract_id = k.id order by t.partner_id
        ), {CHARGES}
        select {_SUMS}, k.currency from k left join charges c on true group by k.currency
        """,
        {"scope": scope, "contract": contract_id, **month_parameters(today)},
    )
    row = await cursor.fetchone()
    return _month(row, today) if row else None


async def month_of_distributor(conn: Connection, distributor_id: UUID, today: date) -> list[MonthToDate]:
    """The sum of all its contracts' months, by currency."""
    cursor = await conn.execute(
        f"""
        with k as (
            select id, currency from contract where distributor_id = %(distributor)s
        ), priced as (
            select id as contract_id from k
        ), owned as materialized (
            select distinct t.partner_id from k join partner_terms t on t.contract_id = k.id order by t.partner_id
        ), {CHARGES}
        select {_SUMS}, k.currency from k left join charges c on c.contract_id = k.id
        group by k.currency order by k.currency collate "C"
        """,
        {"distributor": distributor_id, **month_parameters(today)},
    )
    return [_month(row, today) for row in await cursor.fetchall()]


async def month_of_partner(conn: Connection, scope: UUID | None, partner_id: UUID, today: date) -> MonthToDate | None:
    """Under all contracts that the partner had in the month; they have the same currency."""
    cursor = await conn.execute(
        f"""
        with p as (
            select p.id, k.currency from partner p join contract k on k.id = p.contract_id
            where p.id = %(partner)s and p.closed_at is null
                and (%(scope)s::uuid is null or p.distributor_id = %(scope)s)
        ), priced as (
            select distinct t.contract_id from p join partner_terms t on t.partner_id = p.id
        ), owned as materialized (
            select id as partner_id from p
        ), {CHARGES}
        select {_SUMS}, p.currency from p left join charges c on true group by p.currency
        """,
        {"scope": scope, "partner": partner_id, **month_parameters(today)},
    )
    row = await cursor.fetchone()
    return _month(row, today) if row else None


def month_parameters(today: date) -> dict[str, object]:
    """The parameters of CHARGES, for the month to date."""
    return {
        "first": today.replace(day=1),
        "last": today,
        "today": today,
        "days": days_in(today),
        "minor_units": _MINOR_UNITS,
    }


def _month(row: tuple[Decimal, Decimal, str], today: date) -> MonthToDate:
    byte_days, minor_units, currency = row
    return MonthToDate(byte_days, today, Money.of_minor_units(minor_units, currency))
