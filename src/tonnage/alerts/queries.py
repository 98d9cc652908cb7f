"""SQL of alerts: which levels are crossed, and the levels of organisations."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.access.actor import system_stamp
from tonnage.alerts.alert_level import DEFAULT_LEVELS, HYSTERESIS, AlertSubject, Measure
from tonnage.db import Connection, one_row
from tonnage.partners.queries import HAS_CAP

_CAPACITY: LiteralString = """effective_capacity({0}.allocated_capacity,
                case when {0}.override_until > %(now)s then {0}.override_capacity end)"""

_CAP: LiteralString = f"""case when {{0}}.allow_overdraft or {{0}}.allocated_capacity = 0 then
                case when {{0}}.overdraft_cap_amount is not null then {{0}}.overdraft_cap
                    else nullif(overdraft_cap({_CAPACITY}, {{0}}.overdraft_cap, {{0}}.overdraft_cap_percent), 0)
                end end"""
"""0 is an amount of money that is used up; 0 bytes are no overdraft, of which nobody need be alerted."""

_ACCOUNT: LiteralString = """
        select a.id as place, a.id as account_id, null::uuid as partner_id, null::uuid as contract_id,
            a.partner_id as organisation_id, a.id::text as subject, {0} as capacity, {1} as used
        from storage_account a join account_usage u on u.account_id = a.id
        where a.id > %(after)s and a.purged_at is null {2} order by a.id limit %(most)s"""
_PARTNER: LiteralString = """
        select p.seq as place, null::bigint as account_id, p.id as partner_id, null::uuid as contract_id,
            p.id as organisation_id, p.id::text as subject, {0} as capacity, {1} as used
        from partner p where p.seq > %(after)s and p.closed_at is null {2} order by p.seq limit %(most)s"""

_OF_ACCOUNT, _OF_PARTNER = _CAPACITY.format("a"), _CAPACITY.format("p")

_SUBJECTS: Mapping[Measure, LiteralString] = {
    Measure(AlertSubject.ACCOUNT): _ACCOUNT.format(f"nullif({_OF_ACCOUNT}, 0)", "u.used", ""),
    Measure(AlertSubject.PARTNER): _PARTNER.format(f"nullif({_OF_PARTNER}, 0)", "p.used", ""),
    Measure(AlertSubject.CONTRACT): """
        select k.seq as place, null::bigint as account_id, null::uuid as partner_id, k.id as contract_id,
            k.distributor_id as organisation_id, k.id::text as subject, nullif(k.reserved_capacity, 0) as capacity,
            k.used
        from contract k where k.seq > %(after)s and k.closed_at is null order by k.seq limit %(most)s""",
    Measure(AlertSubject.ACCOUNT, True): _ACCOUNT.format(
        _CAP.format("a"), f"greatest(0, u.used - {_OF_ACCOUNT})", f"and {HAS_CAP.format('a')}"
    ),
    Measure(AlertSubject.PARTNER, True): _PARTNER.format(
        _CAP.format("p"), f"greatest(0, p.used - {_OF_PARTNER})", f"and {HAS_CAP.format('p')}"
    ),
}
"""What an alert compares: this is the only place that says what the capacity of a thing is, null without one. An
override counts until its end, also where no job has ended it yet."""

_ID: Mapping[AlertSubject, LiteralString] = {
    AlertSubject.ACCOUNT: "account_id",
    AlertSubject.PARTNER: "partner_id",
    AlertSubject.CONTRACT: "contract_id",
}

_OF_CAP: Mapping[bool, LiteralString] = {False: "false", True: "true"}

_ENTRIES: Mapping[Measure, LiteralString] = {
    Measure(AlertSubject.ACCOUNT): """
        select case when level >= 100 then audit(%(stamp)s, organisation_id, 'account.exceed', subject, null, facts)
            else audit(%(stamp)s, organisation_id, 'account.reach-level', subject, null, facts) end from r
        union all select audit(%(stamp)s, organisation_id, 'account.leave-level', subject, null, facts) from f""",
    Measure(AlertSubject.PARTNER): """
        select case when level >= 100 then audit(%(stamp)s, organisation_id, 'partner.exceed', subject, null, facts)
            else audit(%(stamp)s, organisation_id, 'partner.reach-level', subject, null, facts) end from r
        union all select audit(%(stamp)s, organisation_id, 'partner.leave-level', subject, null, facts) from f""",
    Measure(AlertSubject.CONTRACT): """
        select case when level >= 100 then audit(%(stamp)s, organisation_id, 'contract.exceed', subject, null, facts)
            else audit(%(stamp)s, organisation_id, 'contract.reach-level', subject, null, facts) end from r
        union all select audit(%(stamp)s, organisation_id, 'contract.leave-level', subject, null, facts) from f""",
    Measure(AlertSubject.ACCOUNT, True): """
        select case when level >= 100 then audit(%(stamp)s, organisation_id, 'account.exceed-cap', subject, null, facts)
            else audit(%(stamp)s, organisation_id, 'account.reach-cap-level', subject, null, facts) end from r
        union all select audit(%(stamp)s, organisation_id, 'account.leave-cap-level', subject, null, facts) from f""",
    Measure(AlertSubject.PARTNER, True): """
        select case when level >= 100 then audit(%(stamp)s, organisation_id, 'partner.exceed-cap', subject, null, facts)
            else audit(%(stamp)s, organisation_id, 'partner.reach-cap-level', subject, null, facts) end from r
        union all select audit(%(stamp)s, organisation_id, 'partner.leave-cap-level', subject, null, facts) from f""",
}


class Evaluated(NamedTuple):
    """What a part of an evaluation has found."""

    subjects: int
    last: int
    """Where the next part begins."""
    raised: int
    """How many have reached a level, however many levels at once."""


def _evaluation(measure: Measure) -> LiteralString:
    own, of_cap = _ID[measure.subject], _OF_CAP[measure.of_cap]
    return f"""
        with s as materialized ({_SUBJECTS[measure]}
        ), l as materialized (
            select s.*, coalesce(own.levels, parents.levels, (select levels from alert_levels
                where organisation_id = operator_id()), %(default)s::smallint[]) as levels
            from s join organisation o on o.id = s.organisation_id
            left join alert_levels own on own.organisation_id = o.id
            left join alert_levels parents on parents.organisation_id = o.parent_id
        ), ended as (
            delete from alert a using l
            where a.{own} = l.{own} and a.of_cap = {of_cap} and (l.capacity is null or a.level <> all(l.levels)
                or l.used::numeric * 100 < l.capacity::numeric * (a.level - %(hysteresis)s))
            returning a.{own}, a.level
        ), reached as (
            insert into alert (
                organisation_id, account_id, partner_id, contract_id, of_cap, level, crossed_at, used, capacity)
            select l.organisation_id, l.account_id, l.partner_id, l.contract_id, {of_cap}, level, %(now)s,
                l.used, l.capacity
            from l cross join unnest(l.levels) as level
            where l.used::numeric * 100 >= l.capacity::numeric * level
            order by l.place, level
            on conflict do nothing returning {own}, level
        {_entries(measure)}"""


def _entries(measure: Measure) -> LiteralString:
    """The entries about what is in `reached` and `ended`."""
    own, of_cap = _ID[measure.subject], _OF_CAP[measure.of_cap]
    return f"""
        ), r as (
            -- The highest of several levels at once, unless a higher one is there already: a lower one that is new.
            select l.organisation_id, l.subject, max(n.level) as level, jsonb_build_object(
                'level', max(n.level), 'used', l.used, 'capacity', l.capacity) as facts
            from reached n join l using ({own})
            group by l.place, l.organisation_id, l.subject, l.used, l.capacity, l.{own}
            having max(n.level) > coalesce((select max(level) from alert a
                where a.{own} = l.{own} and a.of_cap = {of_cap}), 0)
            order by l.place
        ), f as (
            select l.organisation_id, l.subject, jsonb_strip_nulls(jsonb_build_object(
                'level', left_over.level, 'used', l.used, 'capacity', l.capacity)) as facts
            from (select {own}, max(level) as level from ended group by {own}) e join l using ({own})
            cross join lateral (
                select max(a.level) as level from alert a where a.{own} = l.{own} and a.of_cap = {of_cap}
                    and not exists (select from ended x where x.{own} = a.{own} and x.level = a.level)) left_over
            where e.level > coalesce(left_over.level, 0) and not exists (
                select from reached n where n.{own} = l.{own} and n.level >= e.level)
            order by l.place
        ), entries as ({_ENTRIES[measure]})
        select (select count(*) from s), (select coalesce(max(place), 0) from s), (select count(*) from r)
        where (select count(*) from entries) >= 0"""


async def evaluate(conn: Connection, measure: Measure, after: int, most: int, now: datetime) -> Evaluated:
    """Compares the use of the next `most` accounts, partners or contracts with their levels, and writes an audit entry
    for each that has reached a higher level, or fallen below its highest one.

    Two evaluations at once make one entry: who inserts or deletes the row writes it.
    """
    cursor = await conn.execute(
        _evaluation(measure),
        {
            "after": after,
            "most": most,
            "default": list(DEFAULT_LEVELS),
            "hysteresis": HYSTERESIS,
            "now": now,
            "stamp": system_stamp(),
        },
    )
    return Evaluated(*await one_row(cursor))


async def delete_obsolete(conn: Connection) -> None:
    """Deletes the alerts of accounts, partners and contracts that are gone, or whose cap is."""
    await conn.execute(
        f"""
        delete from alert a where exists (
            select from storage_account s
            where s.id = a.account_id and (s.purged_at is not null or a.of_cap and not {HAS_CAP.format("s")}))
        or exists (
            select from partner p
            where p.id = a.partner_id and (p.closed_at is not null or a.of_cap and not {HAS_CAP.format("p")}))
        or exists (select from contract k where k.id = a.contract_id and k.closed_at is not null)
        """
    )


class AlertLevels(NamedTuple):
    """The levels of an organisation."""

    levels: list[int]
    """Percent, ascending."""
    own: bool
    """Whether it has set them itself."""


async def levels_of(conn: Connection, organisation_id: UUID) -> AlertLevels:
    """What counts for the things of an organisation: its own levels, its distributor's, the operator's, or the
    default."""
    cursor = await conn.execute(
        """
        select coalesce(own.levels, parents.levels, operators.levels, %(default)s::smallint[]), own.levels is not null
        from organisation o
        left join alert_levels own on own.organisation_id = o.id
        left join alert_levels parents on parents.organisation_id = o.parent_id
        left join alert_levels operators on operators.organisation_id = operator_id()
        where o.id = %(organisation)s
        """,
        {"default": list(DEFAULT_LEVELS), "organisation": organisation_id},
    )
    return AlertLevels(*await one_row(cursor))


async def set_levels(conn: Connection, organisation_id: UUID, levels: Sequence[int] | None, stamp: str) -> None:
    """Sets the levels of an organisation; None: it has those of its distributor or the operator again. An audit entry
    if that changes anything."""
    cursor = await conn.execute(
        """
        with old as (
            select levels from alert_levels where organisation_id = %(organisation)s for update
        ), gone as (
            delete from alert_levels where organisation_id = %(organisation)s and %(levels)s::smallint[] is null
        ), new as (
            insert into alert_levels (organisation_id, levels)
            select %(organisation)s, %(levels)s::smallint[] where %(levels)s::smallint[] is not null
            on conflict (organisation_id) do update set levels = excluded.levels
        )
        select save_response(%(stamp)s, null), case when was.levels is distinct from %(levels)s::smallint[] then
            audit(%(stamp)s, %(organisation)s, 'organisation.set-alert-levels', %(organisation)s::uuid::text,
                case when was.levels is not null then jsonb_build_object('levels', was.levels) end,
                case when %(levels)s::smallint[] is not null then
                    jsonb_build_object('levels', %(levels)s::smallint[]) end) end
        from (select (select levels from old) as levels) was
        """,
        {"organisation": organisation_id, "levels": None if levels is None else list(levels), "stamp": stamp},
    )
    await cursor.fetchone()
