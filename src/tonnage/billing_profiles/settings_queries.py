"""SQL of sellers' settings, logos and tax rates.

All of them are written while the row of the settings is held, so that two writers wait for each other.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

from tonnage.billing_profiles.settings import SETTINGS, SellerSettings
from tonnage.billing_profiles.tax import TaxRate
from tonnage.db import Connection, one_row

_COLUMNS: LiteralString = """document, locale, colour, footer, freeze_day, number_format, number_start, small_business,
    retention_years, negative_total, mail_documents, suspend_overdue_days, suspension_warning_days"""


class FoundSettings(NamedTuple):
    """A seller's settings; one that has set nothing has the defaults, in the first revision."""

    settings: SellerSettings
    has_logo: bool
    revision: int
    tax_rates_revision: int


async def seller_settings(conn: Connection, seller_id: UUID) -> FoundSettings:
    """The settings of an organisation."""
    return (await all_settings(conn, [seller_id]))[seller_id]


async def all_settings(conn: Connection, sellers: Collection[UUID]) -> dict[UUID, FoundSettings]:
    """Those of many, by their ids."""
    cursor = await conn.execute(
        f"""
        select organisation_id, logo is not null, revision, tax_rates_revision, {_COLUMNS} from seller_settings
        where organisation_id = any(%s::uuid[])
        """,
        [list(sellers)],
    )
    found = {
        row[0]: FoundSettings(_settings(dict(zip(SETTINGS, row[4:], strict=True))), *row[1:4])
        for row in await cursor.fetchall()
    }
    return {seller: found.get(seller, _DEFAULT) for seller in sellers}


def _settings(columns: dict[str, Any]) -> SellerSettings:
    columns["suspension_warning_days"] = tuple(columns["suspension_warning_days"])
    return SellerSettings(**columns)


_DEFAULT = FoundSettings(SellerSettings(), False, 1, 1)


async def logo_of(conn: Connection, seller_id: UUID) -> str | None:
    """A PNG image in base64."""
    cursor = await conn.execute("select logo from seller_settings where organisation_id = %s", [seller_id])
    row = await cursor.fetchone()
    return row[0] if row else None


async def hold_settings(conn: Connection, seller_id: UUID, now: datetime) -> FoundSettings | None:
    """Those of an open organisation, whose row is held until the transaction ends. None: there is no such one."""
    await conn.execute(
        """
        insert into seller_settings (organisation_id, changed_at)
        select id, %(now)s from organisation where id = %(seller)s and closed_at is null on conflict do nothing
        """,
        {"seller": seller_id, "now": now},
    )
    cursor = await conn.execute(
        """
        select from seller_settings s join organisation o on o.id = s.organisation_id
        where s.organisation_id = %s and o.closed_at is null for update of s
        """,
        [seller_id],
    )
    if await cursor.fetchone() is None:
        return None
    # A statement of its own, so that it sees what the one before had to wait for.
    return await seller_settings(conn, seller_id)


_UPDATE: LiteralString = f"""
    with s as (
        update seller_settings set ({_COLUMNS}) = (
            %(document)s, %(locale)s, %(colour)s, %(footer)s, %(freeze_day)s, %(number_format)s, %(number_start)s,
            %(small_business)s, %(retention_years)s, %(negative_total)s, %(mail_documents)s,
            %(suspend_overdue_days)s, %(suspension_warning_days)s::smallint[]),
            suspension_rule_since = case when suspension_rule_since is not null
                and (suspend_overdue_days, suspension_warning_days)
                    = (%(suspend_overdue_days)s, %(suspension_warning_days)s::smallint[])
                then suspension_rule_since else (%(now)s::timestamptz at time zone 'UTC')::date end,
            revision = revision + 1, changed_at = %(now)s
        where organisation_id = %(seller)s returning *
    )
    select s.revision, save_response(%(stamp)s, %(response)s::json, s.revision),
        audit(%(stamp)s, s.organisation_id, 'organisation.update-billing-settings', s.organisation_id::text,
              %(before)s::jsonb, %(after)s::jsonb)
    from s"""


async def update_settings(
    conn: Connection,
    seller_id: UUID,
    before: SellerSettings,
    settings: SellerSettings,
    response: bytes,
    now: datetime,
    stamp: str,
) -> int:
    """Writes settings whose row is held; returns their new revision."""
    cursor = await conn.execute(
        _UPDATE,
        {
            **asdict(settings),
            "suspension_warning_days": list(settings.suspension_warning_days),
            "seller": seller_id,
            "response": response.decode(),
            "before": json.dumps(_facts(before)),
            "after": json.dumps(_facts(settings, before)),
            "now": now,
            "stamp": stamp,
        },
    )
    return (await one_row(cursor))[0]


def _facts(settings: SellerSettings, before: SellerSettings | None = None) -> Mapping[str, Any]:
    """What the audit log says of them. A footer may name people."""
    facts = {key: value for key, value in settings.as_document().items() if key != "footer"}
    return {**facts, "footerChanged": True} if before and before.footer != settings.footer else facts


async def update_logo(
    conn: Connection, seller_id: UUID, logo: str | None, response: bytes | None, now: datetime, stamp: str
) -> int:
    """Sets or removes the logo of a seller whose settings are held; returns their new revision."""
    cursor = await conn.execute(
        """
        with s as (
            update seller_settings set logo = %(logo)s, revision = revision + 1, changed_at = %(now)s
            where organisation_id = %(seller)s returning *
        )
        select s.revision, save_response(%(stamp)s, %(response)s::json, s.revision),
            audit(%(stamp)s, s.organisation_id, 'organisation.set-logo', s.organisation_id::text, null,
                  jsonb_build_object('logo', s.logo is not null))
        from s
        """,
        {"seller": seller_id, "logo": logo, "response": response and response.decode(), "now": now, "stamp": stamp},
    )
    return (await one_row(cursor))[0]


async def tax_rates(conn: Connection, seller_id: UUID) -> tuple[TaxRate, ...]:
    """The rates of a seller, in order of their days."""
    return (await all_tax_rates(conn, [seller_id]))[seller_id]


async def all_tax_rates(conn: Connection, sellers: Collection[UUID]) -> dict[UUID, tuple[TaxRate, ...]]:
    """Those of many, by their ids."""
    cursor = await conn.execute(
        """
        select organisation_id, valid_from, trim_scale(percent) from tax_rate where organisation_id = any(%s::uuid[])
        order by organisation_id, valid_from
        """,
        [list(sellers)],
    )
    found: dict[UUID, list[TaxRate]] = {seller: [] for seller in sellers}
    for seller, valid_from, percent in await cursor.fetchall():
        found[seller].append(TaxRate(valid_from, percent))
    return {seller: tuple(rates) for seller, rates in found.items()}


_REPLACE_TAX_RATES: LiteralString = """
    with given as (
        select * from unnest(%(days)s::date[], %(percents)s::numeric[]) as g (valid_from, percent)
    ), removed as (
        delete from tax_rate t
        where organisation_id = %(seller)s and valid_from <> all (%(days)s::date[])
    ), written as (
        insert into tax_rate as t (organisation_id, valid_from, percent)
        select %(seller)s, valid_from, percent from given
        on conflict (organisation_id, valid_from) do update set percent = excluded.percent
        where t.percent <> excluded.percent
    ), s as (
        update seller_settings set tax_rates_revision = tax_rates_revision + 1, changed_at = %(now)s
        where organisation_id = %(seller)s returning *
    )
    select s.tax_rates_revision, save_response(%(stamp)s, %(response)s::json, s.tax_rates_revision),
        audit(%(stamp)s, s.organisation_id, 'organisation.update-tax-rates', s.organisation_id::text,
              %(before)s::jsonb, %(after)s::jsonb)
    from s"""


async def replace_tax_rates(
    conn: Connection,
    seller_id: UUID,
    before: Sequence[TaxRate],
    rates: Sequence[TaxRate],
    response: bytes,
    now: datetime,
    stamp: str,
) -> int:
    """Writes the rates of a seller whose settings are held, those that differ; returns their new revision."""
    cursor = await conn.execute(
        _REPLACE_TAX_RATES,
        {
            "seller": seller_id,
            "days": [rate.valid_from for rate in rates],
            "percents": [rate.percent for rate in rates],
            "before": json.dumps({"taxRates": _written_rates(before)}),
            "after": json.dumps({"taxRates": _written_rates(rates)}),
            "response": response.decode(),
            "now": now,
            "stamp": stamp,
        },
    )
    return (await one_row(cursor))[0]


def _written_rates(rates: Sequence[TaxRate]) -> str:
    return ", ".join(f"{rate.valid_from}: {rate.percent:f} %" for rate in rates)
