"""What `tonnage doctor` compares, and the part of it that is about the record of what was done.

Each feature has its checks in such a file; the one that keeps a total up to date is the one that recomputes it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import LiteralString, NamedTuple, TypeAlias

from tonnage.db import Connection
from tonnage.email_address import email_key
from tonnage.names import name_key

MOST_SHOWN = 20
"""Differences that a check names; it counts them all."""


class Difference(NamedTuple):
    """A thing whose stored value is not the recomputed one. An empty string: there is none."""

    subject: str
    stored: str
    recomputed: str


@dataclass(frozen=True)
class Check:
    """What was compared, for how many things, and where it differs."""

    what: str
    compared: int
    differing: int
    differences: tuple[Difference, ...]
    """The first MOST_SHOWN of them."""


Checking: TypeAlias = Callable[[Connection], Awaitable[Check]]


async def compare(conn: Connection, what: str, values: LiteralString, params: Sequence[object] = ()) -> Check:
    """`values` is a SELECT of a thing, its stored and its recomputed value; null is no value."""
    cursor = await conn.execute(
        "with compared (subject, stored, recomputed) as ("
        + values
        + """
        ), texts as (
            select subject::text as subject, coalesce(stored::text, '') as stored,
                   coalesce(recomputed::text, '') as recomputed
            from compared
        ), differing as (
            select * from texts where stored <> recomputed
        )
        select (select count(*) from texts), (select count(*) from differing), (
            select array_agg(array[subject, stored, recomputed])
            from (select * from differing order by subject collate "C" limit %s) first_ones
        )
        """,
        [*params, MOST_SHOWN],
    )
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("a select without a from has one row")
    return Check(what, row[0], row[1], tuple(Difference(*difference) for difference in row[2] or ()))


async def compare_email_keys(conn: Connection, what: str, addresses: LiteralString) -> Check:
    """`addresses` is a SELECT of a thing, its e-mail address and the key that is stored for it.

    PostgreSQL folds by the locale of its machine, so the program must; but of ASCII every fold makes the same, and the
    rest is read row by row, in the caller's transaction. Addresses do not belong into a report, so it names none.
    """
    cursor = await conn.execute("select count(*) from (" + addresses + ") addresses (id, email, key)")
    row = await cursor.fetchone()
    wrong: list[str] = []
    differing = 0
    async with conn.cursor(name="addresses") as suspects:
        await suspects.execute(
            "select id::text, email, key from ("
            + addresses
            + """
            ) addresses (id, email, key)
            where lower(email collate "C") <> key or octet_length(email) <> char_length(email) order by 1
            """
        )
        async for subject, email, key in suspects:
            if email_key(email) != key:
                differing += 1
                wrong += [subject] if differing <= MOST_SHOWN else []
    shown = tuple(Difference(subject, "the key of another address", "that of its own") for subject in wrong)
    return Check(what, row[0] if row else 0, differing, shown)


async def compare_name_keys(conn: Connection, what: str, names: LiteralString) -> Check:
    """`names` is a SELECT of a thing, its name and the key that is stored for it; both may be null.

    Read row by row, in the caller's transaction. Names of persons do not belong into a report, so it shows none.
    """
    compared = differing = 0
    wrong: list[Difference] = []
    async with conn.cursor(name="names") as rows:
        rows.itersize = 1000
        await rows.execute("select id::text, name, key from (" + names + ") names (id, name, key) order by id")
        async for subject, name, key in rows:
            compared += 1
            if key != (None if name is None else name_key(name)):
                differing += 1
                if differing <= MOST_SHOWN:
                    wrong.append(Difference(subject, "another key", "the key of its name"))
    return Check(what, compared, differing, tuple(wrong))


async def append_only(conn: Connection) -> Check:
    """Every table that must only grow still refuses anything else."""
    return await compare(
        conn,
        "append-only tables: triggers that refuse changes",
        """
        select r.name || '.' || t.name, case t.enabled when 'O' then 'enabled' when 'A' then 'enabled'
            when 'D' then 'disabled' when 'R' then 'disabled' end, 'enabled'
        from (values ('audit_entry'), ('contract_terms'), ('partner_terms'), ('account_terms')) r (name)
        cross join (values ('append_only'), ('never_emptied')) w (name)
        left join lateral (
            select g.tgenabled as enabled from pg_trigger g where g.tgrelid = to_regclass(r.name) and g.tgname = w.name
        ) g on true
        cross join lateral (select w.name, g.enabled) t
        """,
    )


ALL: tuple[Checking, ...] = (append_only,)
