"""The comparisons of `tonnage doctor`, and its checks of the audit log.

Each feature has its checks in such a file. The feature that maintains a total is the one that recomputes it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import LiteralString, NamedTuple, TypeAlias

from tonnage.access import audit_sequence_queries
from tonnage.access.audit_sequence import first_of_each_organisation
from tonnage.db import Connection, one_row

_NEWEST = 20_000
"""Entries of the audit log whose digests the doctor compares; `tonnage audit verify` compares all."""

APPEND_ONLY = ("audit_entry", "audit_sequence", "contract_terms", "partner_terms", "account_terms")
"""The tables that take only inserts."""

MOST_SHOWN = 20
"""The most differences that a check lists; it counts all of them."""


class Difference(NamedTuple):
    """A thing whose stored value differs from the recomputed one. An empty string: there is no value."""

    subject: str
    stored: str
    recomputed: str


@dataclass(frozen=True)
class Check:
    """The result of a comparison: what was compared, how many values, and the differences."""

    what: str
    compared: int
    differing: int
    differences: tuple[Difference, ...]
    """The first MOST_SHOWN of them."""


Checking: TypeAlias = Callable[[Connection], Awaitable[Check]]


async def compare(conn: Connection, what: str, values: LiteralString, params: Sequence[object] = ()) -> Check:
    """`values` is a SELECT of a thing, its stored and its recomputed value; null means no value."""
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
            from (select * from differing order by subject collate "C" limit %s) shown
        )
        """,
        [*params, MOST_SHOWN],
    )
    row = await one_row(cursor)
    return Check(what, row[0], row[1], tuple(Difference(*difference) for difference in row[2] or ()))


async def compare_keys(conn: Connection, what: str, texts: LiteralString, key_of: Callable[[str], str]) -> Check:
    """`texts` is a SELECT of a thing, one of its texts and the stored key of that text; both may be null.

    PostgreSQL folds case by the locale of its machine, so the program must compute the keys. Rows are read one by one,
    in the caller's transaction. A report must not contain names or addresses of persons, so it shows none.
    """
    compared = differing = 0
    wrong: list[Difference] = []
    async with conn.cursor(name="texts") as rows:
        rows.itersize = 1000
        await rows.execute("select id::text, written, key from (" + texts + ") texts (id, written, key) order by id")
        async for subject, written, key in rows:
            compared += 1
            if key != (None if written is None else key_of(written)):
                differing += 1
                if differing <= MOST_SHOWN:
                    wrong.append(Difference(subject, "the key of another text", "the key of its own text"))
    return Check(what, compared, differing, tuple(wrong))


async def append_only(conn: Connection) -> Check:
    """Checks that every append-only table still refuses anything but inserts."""
    return await compare(
        conn,
        "append-only tables: triggers that refuse changes",
        """
        select r.name || '.' || t.name, case t.enabled when 'O' then 'enabled' when 'A' then 'enabled'
            when 'D' then 'disabled' when 'R' then 'disabled' end, 'enabled'
        from unnest(%s::text[]) r (name)
        cross join (values ('append_only'), ('no_truncate')) w (name)
        left join lateral (
            select g.tgenabled as enabled from pg_trigger g where g.tgrelid = to_regclass(r.name) and g.tgname = w.name
        ) g on true
        cross join lateral (select w.name, g.enabled) t
        """,
        [list(APPEND_ONLY)],
    )


async def audit_sequence(conn: Connection) -> Check:
    """Checks that the newest entries of the audit log have their positions, and fit their digests."""
    last = await audit_sequence_queries.last_position(conn)
    progress, _ = await audit_sequence_queries.sequence_progress(conn)
    found = first_of_each_organisation(
        await audit_sequence_queries.mismatches(conn, max(0, last - _NEWEST), last)
        + await audit_sequence_queries.unnumbered(conn, max(0, progress.complete_to - _NEWEST))
    )
    shown = tuple(Difference(str(one), one.reason, "as it was written") for one in found[:MOST_SHOWN])
    return Check("audit log: digests of the newest entries", min(last, _NEWEST), len(found), shown)


ALL: tuple[Checking, ...] = (append_only, audit_sequence)
