"""Pages by key against a model that shares no code: rows are inserted, deleted and changed between the pages."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.list_pages import follow
from tonnage.keyset import bigint, by_name, float8, numeric, text, timestamptz
from tonnage.lists import (
    LAST_PAGE,
    ListSpec,
    ListState,
    PageOf,
    page_columns,
    page_ctes,
    page_of,
    page_order,
    page_params,
    sort_columns,
)
from tonnage.names import name_key
from tonnage.web.list_state import read_list_state

pytestmark = pytest.mark.oldest_postgresql

SPEC = ListSpec(
    sorts={
        "seq": (bigint("t.seq"),),
        "name": by_name("t"),
        "text": (text("coalesce(t.name, '') collate \"C\""), bigint("t.seq")),
        "load": (float8("t.amount::float8 / 3"), bigint("t.seq")),
        "amount": (numeric("t.amount"), bigint("t.seq")),
        "due": (timestamptz("coalesce(t.due, 'infinity')"), bigint("t.seq")),
    }
)
START = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)
NAMES = [
    "",
    "a",
    "A",
    "ä",
    "ａ",
    "a.b",
    "b\n",
    "\x01",
    '"\\',
    "' or true --",
    "🚢",
    "\ufdfa" * 40,
    "\uffff",
    "각" * 200,
]


@dataclass(frozen=True)
class Row:
    seq: int
    name: str
    amount: int
    due: datetime | None

    @property
    def id(self) -> UUID:
        # Ids are in another order than rows are made.
        return UUID(int=self.seq * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)

    def key(self, sort: str) -> tuple[Any, ...]:
        never = START + timedelta(days=10**6)
        return {
            "seq": (self.seq,),
            "name": (name_key(self.name), self.name, self.id.int),
            "text": (self.name, self.seq),
            "load": (float(self.amount) / 3, self.seq),
            "amount": (self.amount, self.seq),
            "due": (self.due or never, self.seq),
        }[sort]


values = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from([0, 1, -1, 7, 10**15 + 1, 2**63, 2**63 + 1]),
    st.sampled_from([None, START, START + timedelta(microseconds=1), START - timedelta(days=800_000 // 2)]),
)
Change = tuple[str, int, tuple[str, int, datetime | None]]
changes = st.lists(st.tuples(st.sampled_from(["insert", "delete", "change"]), st.integers(0, 99), values), max_size=4)


class ChangingList:
    """Rows in a table, and the same rows here."""

    def __init__(self, conn: psycopg.Connection[Any], made: list[tuple[str, int, datetime | None]]) -> None:
        self.conn = conn
        self.rows: dict[int, Row] = {}
        self.touched: set[int] = set()
        self.next = 0
        conn.execute("truncate listed")
        for one in made:
            self.write(one)
        self.touched.clear()

    def write(self, one: tuple[str, int, datetime | None], seq: int | None = None) -> None:
        if seq is None:
            self.next += 1
            seq = self.next
        row = self.rows[seq] = Row(seq, *one)
        self.touched.add(seq)
        self.conn.execute(
            "insert into listed values (%s, %s, %s, %s, %s, %s) on conflict (seq) do update"
            " set name = excluded.name, name_key = excluded.name_key, amount = excluded.amount, due = excluded.due",
            [row.seq, row.id, row.name, name_key(row.name), row.amount, row.due],
        )

    def apply(self, change: Change) -> None:
        what, number, one = change
        if what == "insert":
            self.write(one)
        elif self.rows:
            seq = sorted(self.rows)[number % len(self.rows)]
            if what == "change":
                self.write(one, seq)
            else:
                del self.rows[seq]
                self.touched.add(seq)
                self.conn.execute("delete from listed where seq = %s", [seq])

    def read(self, state: ListState, cte: LiteralString) -> PageOf[int]:
        sort = state.sort_columns
        cursor = self.conn.execute(
            f"""
            with found as {cte} (select t.seq, {sort_columns(sort)} from listed t), {page_ctes(state, sort)}
            select {page_columns(state, sort)}, f.seq from counted left join chosen f on true
            order by {page_order(state, sort)}
            """,
            page_params(state),
        )
        return page_of(cursor.fetchall(), state, int)


@pytest.fixture(scope="module")
def conn(conninfo: str) -> Generator[psycopg.Connection[Any]]:
    with psycopg.connect(conninfo, autocommit=True) as opened:
        opened.execute("set timezone to 'UTC'; set datestyle to 'ISO, YMD'")
        opened.execute(
            """
            create temporary table listed (
                seq bigint primary key, id uuid, name text, name_key text collate "C", amount numeric, due timestamptz)
            """
        )
        yield opened


def expected(
    listed: ChangingList, state: ListState, sort: str, edge: tuple[Any, ...] | None
) -> tuple[list[int], int, bool]:
    """The rows of the page, those before it, and whether nothing is left beyond `edge`, the key of the row there."""
    ordered = sorted(listed.rows.values(), key=lambda row: row.key(sort), reverse=state.descending)
    size = state.size or 0
    last = len(ordered) - 1 - (len(ordered) - 1) % size if ordered else 0
    before = state.position.is_before
    if edge is None:
        begin, end, ended = (last, len(ordered), False) if before else (0, size, False)
    else:
        ahead = [row.key(sort) < edge if state.descending != before else row.key(sort) > edge for row in ordered]
        ended = not any(ahead)
        if before:
            end = ahead.count(True)
            begin, end = (0, size) if ended else (max(end - size, 0), end)
        else:
            begin = len(ordered) - ahead.count(True)
            begin, end = (last, len(ordered)) if ended else (begin, begin + size)
    return [row.seq for row in ordered[begin:end]], begin, ended


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    made=st.lists(values, max_size=14),
    between=st.lists(changes, max_size=8),
    sort=st.sampled_from(sorted(SPEC.sorts)),
    descending=st.booleans(),
    backwards=st.booleans(),
    size=st.integers(1, 4),
    cte=st.sampled_from(["materialized", "not materialized"]),
)
def test_every_row_that_stays_is_seen_once(
    conn: psycopg.Connection[Any],
    made: list[tuple[str, int, datetime | None]],
    between: list[list[Change]],
    sort: str,
    descending: bool,
    backwards: bool,
    size: int,
    cte: LiteralString,
) -> None:
    listed = ChangingList(conn, made)
    state = replace(read_list_state(SPEC, {}), sort=sort, descending=descending, size=size)
    state = replace(state, position=LAST_PAGE) if backwards else state
    begun, seen, edge = list(listed.rows), list[int](), None
    rounds = iter(between)
    while True:
        found = listed.read(state, cte)
        rows, preceding, ended = expected(listed, state, sort, edge)
        assert (found.rows, found.total, found.preceding) == (rows, len(listed.rows), preceding)
        if ended:  # which the last or the first page says
            break
        seen += found.rows
        beyond = follow(state, found, backwards=backwards)
        if beyond is None:
            break
        state, edge = beyond, listed.rows[rows[0 if backwards else -1]].key(sort)
        for change in next(rounds, list[Change]()):
            listed.apply(change)
    stayed = [seq for seq in begun if seq not in listed.touched]
    assert sorted(seq for seq in seen if seq in stayed) == stayed
