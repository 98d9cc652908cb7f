"""Freezing a month: numbers, what is copied, what is blocked, interruptions."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import date
from decimal import Decimal

import psycopg
import pytest

from tests.cast import TB, Cast
from tests.roles import as_owner, url_of
from tests.statements.months import APRIL, MARCH, Sellers, sellers, services_of
from tests.usage.steps import at
from tonnage.billing_profiles.document_number import DocumentNumberFormat
from tonnage.db import Connection, connect
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict
from tonnage.metering.traffic_actions import store
from tonnage.month_end.computed_actions import compute
from tonnage.month_end.freezing_actions import freeze, freeze_due
from tonnage.numbering.queries import take_numbers
from tonnage.partners.actions import move_partner
from tonnage.price_books.assignment import SubjectKind
from tonnage.statements.actions import find_frozen, find_working
from tonnage.statements.frozen_queries import verify
from tonnage.storage.backend import Traffic
from tonnage.usage.actions import accept_samples
from tonnage.usage.sample import SampleFile

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]


@pytest.fixture
async def data(cast: Cast) -> Sellers:
    found = await sellers(cast)
    for seller in (cast.operator, found.distributor, found.partner):
        await found.describe(seller)
    await found.price(found.distributor)
    await found.price(found.partner, since=date(2026, 3, 16))
    return found


async def test_the_month_of_each_seller(data: Sellers) -> None:
    cast = data.cast
    await data.describe_account()
    for seller, buyer, sums in [
        (data.distributor, data.partner.organisation_id, (Decimal("110.00"), Decimal("130.90"))),
        (data.partner, data.account, (Decimal("107.88"), Decimal("128.38"))),
        (cast.operator, data.contract, (Decimal("1000.00"), Decimal("1190.00"))),
    ]:
        done = await data.freeze(seller)
        every = await data.rows(
            "coalesce(contract_id::text, partner_id::text, account_id::text), id, net, gross", seller
        )
        ((statement_id, *found),) = [row[1:] for row in every if row[0] == str(buyer)]
        assert tuple(found) == sums
        shown = await cast.database.run(find_frozen, seller.organisation_id, statement_id)
        document = shown.document(APRIL.date())
        assert document["number"] in done.numbers
        assert document["dueOn"] == "2026-04-17"
        assert sum(Decimal(line["amount"]) for line in document["lines"]) == Decimal(document["net"])
        for line in document["lines"]:
            _, working = await find_working(cast.database, seller.organisation_id, statement_id, line["no"], cast.now)
            assert sum(day["quantity"] for day in working["days"]) == line["byteDays"]
        assert await cast.database.run(verify, [statement_id]) == {}


async def test_numbers_are_in_order_of_buyer_and_have_no_gap(data: Sellers) -> None:
    for name in ("Zoe", "anna", "Émile"):
        await data.describe(await data.another(name))
    await data.number(data.distributor, number_format="{number}", number_start=7)
    assert (await data.freeze(data.distributor)).numbers == ["7", "8", "9", "10"]
    rows = await data.rows("number, document ->> 'buyerName'", data.distributor)
    assert sorted(rows) == [("10", "Zoe"), ("7", "anna"), ("8", "Émile"), ("9", "Pia")]
    again = await data.freeze(data.distributor)
    assert (again.numbers, again.blocked) == ([], [])


async def test_a_contract_without_lines_has_no_statement(data: Sellers) -> None:
    """Its partners use nothing beyond their allocations, and the operator has no price book."""
    data.cast.now = at("2026-03-01")
    unused = await data.cast.contract(data.distributor)
    await data.cast.partner(data.distributor, unused, TB)
    data.cast.now = APRIL
    await data.freeze(data.cast.operator)
    contracts = [row[0] for row in await data.rows("contract_id", data.cast.operator)]
    assert data.contract in contracts
    assert unused not in contracts


async def test_a_blocked_buyer_takes_its_number_later(data: Sellers) -> None:
    quinn = await data.another("Quinn")
    done = await data.freeze(data.distributor)
    assert (len(done.numbers), [tuple(one) for one in done.blocked]) == (1, [("Quinn", "buyer_without_address")])
    await data.describe(quinn)
    done = await data.freeze(data.distributor)
    assert (done.numbers, done.blocked) == (["INV-2026-00002"], [])


async def test_prices_in_two_currencies_block(data: Sellers) -> None:
    """A partner that moved within the month to a contract with a book in another currency."""
    cast = data.cast
    cast.now = at("2026-03-01")
    other = await cast.contract(data.distributor)
    book = await data.price(data.distributor, "USD", excess="3")
    await data.assign(data.distributor, SubjectKind.CONTRACT, other, book, MARCH)
    cast.now = at("2026-03-16")
    await cast.database.run(move_partner, data.distributor, data.partner.organisation_id, other, cast.now)
    cast.now = APRIL
    done = await data.freeze(data.distributor)
    assert (done.numbers, [tuple(one) for one in done.blocked]) == ([], [("Pia", "other_currency")])


async def test_a_month_that_is_not_over(data: Sellers) -> None:
    data.cast.now = at("2026-03-31")
    with pytest.raises(Conflict, match="can be frozen from 2026-04-01"):
        await data.freeze(data.distributor)


@asynccontextmanager
async def on_a_cluster(data: Sellers) -> AsyncGenerator[None]:
    """The region of the account has a cluster since March; afterwards it has none again."""
    region = "id = (select region_id from storage_account where id = %s) returning id"
    cluster = "backend = 'ceph', admin_url = 'http://127.0.0.1:9', connected_at = '2026-03-01Z'"
    await data.cast.row(f"update region set {cluster} where {region}", data.account)
    try:
        yield
    finally:
        none = "backend = 'metered', admin_url = null, connected_at = null"
        await data.cast.row(f"update region set {none} where {region}", data.account)


async def test_usage_that_is_not_known_yet(data: Sellers) -> None:
    """A cluster has to be sampled since the end of the month; or the seller does not want to wait. What is frozen is
    corrected all the same."""
    sampled = (
        "insert into sampling_run (region_id, hour, started_at, finished_at)"
        " select region_id, %s, now(), now() from storage_account where id = %s returning hour"
    )
    async with on_a_cluster(data):
        await data.cast.row(sampled, at("2026-03-31", "21:00:00"), data.account)
        with pytest.raises(Conflict, match="is known until 2026-03-31 21:00 UTC") as refused:
            await data.freeze(data.distributor)
        assert refused.value.code is ConflictCode.USAGE_INCOMPLETE
        await freeze(data.services, data.distributor, MARCH, APRIL, incomplete=True)
        assert await data.rows("net", data.distributor) == [(Decimal("110.00"),)]
        await data.reprice(data.distributor, reserved="0.9", excess="3")
        await data.freeze(data.distributor)
        corrected = "select amount from adjustment where seller_id = %s"
        assert await data.cast.row(corrected, data.distributor.organisation_id) == (Decimal("10.00"),)
        with pytest.raises(Conflict):
            await data.freeze(data.partner)
        await data.cast.row(sampled, at("2026-04-01"), data.account)
        await data.freeze(data.partner)


async def test_lines_that_were_accepted_are_recorded_first(data: Sellers) -> None:
    async def accept(conn: Connection) -> None:
        file = SampleFile([f"{data.account},2026-03-01T00:00:00Z,{12 * TB}\n".encode()])
        await accept_samples(conn, data.cast.operator, file, data.cast.now)

    await data.cast.database.transaction(accept)
    await data.freeze(data.distributor)
    assert await data.rows("net", data.distributor) == [(Decimal("130.00"),)]


async def test_of_many_at_once_one_freezes(data: Sellers) -> None:
    for name in ("Quinn", "Rosa"):
        await data.describe(await data.another(name))
    everybody = [freeze(data.services, data.distributor, MARCH, APRIL) for _ in range(5)]
    done = await asyncio.gather(*everybody)
    assert sorted(len(one.numbers) for one in done) == [0, 0, 0, 0, 3]
    assert sorted(row[0] for row in await data.rows("number", data.distributor)) == [
        f"INV-2026-0000{number}" for number in (1, 2, 3)
    ]


async def test_what_is_frozen_does_not_change(data: Sellers) -> None:
    await data.freeze(data.distributor)
    ((before, statement_id),) = await data.rows("md5(s::text), id", data.distributor)
    tables = {
        "statement": ["update statement set net = net + 1", "update statement set number = null, frozen_at = null"],
        "statement_line": ["update statement_line set amount = 0", "delete from statement_line"],
        "statement_subject": ["update statement_subject set input = '{}'", "delete from statement_subject"],
        "statement_design": ["update statement_design set design = '{}'", "delete from statement_design"],
    }
    wrong = [*tables["statement_line"], *tables["statement_subject"], *tables["statement"], *tables["statement_design"]]
    wrong += ["delete from statement", *(f"truncate {table} cascade" for table in tables)]
    wrong += ["insert into statement_subject select statement_id, -position, subject_id, subject_account, input"
              " from statement_subject"]  # fmt: skip
    for text in wrong:
        async with data.cast.database.streams.connection() as conn:
            with pytest.raises(psycopg.Error) as refused:
                await conn.execute(text.encode())
        assert refused.value.sqlstate in {"23001", "42501"}, text
    assert await data.rows("md5(s::text), id", data.distributor) == [(before, statement_id)]


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("update statement_line set amount = amount + 0.01 where no = 2", "line 2: 20.01 is stored, 20.00 is right"),
        ("update statement_line set byte_days = byte_days - 1 where no = 1", "line 1: 90.00 is stored"),
        ("update statement_line set amount = amount + 0.001 where no = 2", "line 2: 20.001 is stored, 20.00 is right"),
        ("delete from statement_line where no = 2", "1 lines are stored, 2 are right"),
        ("update statement set net = 111 where credits is null", "the sum 111 is stored, 110.00 is right"),
        ("update statement set gross = 131 where credits is null", "the total 131 is stored, 130.90 is right"),
        ("update statement set document = jsonb_set(document, '{taxes,0,amount}', '\"21\"')", "the tax 21 on 110.00"),
        ("update statement_subject set input = replace(input::text, '11000000', '12000000')::json", "inputs"),
        ("update statement set input = replace(input::text, '\"0.9', '\"0.8')::json", "inputs"),
    ],
)
async def test_verification_names_what_differs(data: Sellers, tampering: str, found: str) -> None:
    """What no role of the program can do: with the triggers off."""
    await data.freeze(data.distributor)
    ((statement_id,),) = await data.rows("id", data.distributor)
    assert await data.cast.database.run(verify, [statement_id]) == {}
    with psycopg.connect(as_owner(url_of(data.cast.database))) as conn:
        conn.execute("set local session_replication_role = replica")
        conn.execute(tampering.encode())
    (difference,) = (await data.cast.database.run(verify, [statement_id])).values()
    assert "INV-2026-00001" in difference
    assert found in difference


async def test_numbers_of_aborted_transactions_are_taken_again(data: Sellers) -> None:
    """100 transactions on 8 connections, every tenth rolls back."""
    form = DocumentNumberFormat.read("{number}")
    seller, today = data.distributor.organisation_id, date(2026, 4, 3)
    taken: list[str] = []

    class Abort(Exception):
        pass

    async def take(conn: Connection, number: int) -> None:
        (one,) = (await take_numbers(conn, seller, form, 1, 1, today)).numbers
        await asyncio.sleep(0)
        if number % 10 == 0:
            raise Abort
        taken.append(one)

    async def attempt(number: int) -> None:
        with suppress(Abort):
            await data.cast.database.transaction(take, number)

    await asyncio.gather(*(attempt(number) for number in range(100)))
    assert sorted(map(int, taken)) == list(range(1, 91))


async def test_a_freeze_goes_on_where_it_was_interrupted(data: Sellers) -> None:
    """After computing: what was computed is computed again, with the prices of then."""
    await data.cast.database.transaction(compute, data.distributor, MARCH, APRIL, print, is_frozen=False)
    ((first, number),) = await data.rows("id, number", data.distributor)
    assert number is None
    await data.freeze(data.distributor)
    ((second, number),) = await data.rows("id, number", data.distributor)
    assert (number, first != second) == ("INV-2026-00001", True)


async def test_a_year_begins_a_series_and_a_format_too(data: Sellers) -> None:
    form, other = DocumentNumberFormat.read("A-{year}-{number}"), DocumentNumberFormat.read("B{number}")
    run, seller = data.cast.database.run, data.distributor.organisation_id
    assert (await run(take_numbers, seller, form, 5, 2, date(2026, 12, 31))).numbers == ["A-2026-5", "A-2026-6"]
    assert (await run(take_numbers, seller, form, 5, 1, date(2027, 1, 1))).numbers == ["A-2027-1"]
    assert (await run(take_numbers, seller, other, 5, 1, date(2027, 1, 1))).numbers == ["B1"]
    assert (await run(take_numbers, seller, other, 5, 1, date(2028, 1, 1))).numbers == ["B2"]


async def test_two_formats_that_give_one_number(data: Sellers) -> None:
    """Nothing is frozen, and another format mends it."""
    await data.number(data.distributor, number_format="A{number}")
    quinn = await data.another("Quinn")
    assert [one.name for one in (await data.freeze(data.distributor)).blocked] == ["Quinn"]
    await data.describe(quinn)
    await data.number(data.distributor, number_format="A{number:1}")
    with pytest.raises(Conflict, match="gives one that another statement has") as refused:
        await data.freeze(data.distributor)
    assert refused.value.code is ConflictCode.NUMBER_TAKEN
    await data.number(data.distributor, number_format="B{number}")
    assert (await data.freeze(data.distributor)).numbers == ["B1"]


async def test_the_day_of_each_seller(data: Sellers) -> None:
    """The job freezes the month before, from the seller's day on; one that fails does not keep others from it."""
    await data.number(data.distributor, freeze_day=5)
    await freeze_due(data.services, at("2026-04-04"))
    assert (data.contract,) in await data.rows("contract_id", data.cast.operator)
    assert await data.rows("seller_id", data.distributor) == []
    await freeze_due(data.services, at("2026-04-05"))
    assert await data.rows("number", data.distributor) == [("INV-2026-00001",)]
    await freeze_due(data.services, at("2026-04-28"))
    assert len(await data.rows("number", data.distributor)) == 1


async def test_a_freeze_needs_one_connection(data: Sellers) -> None:
    """As many freezes as there are connections would wait for each other, if each needed two."""
    async with connect(url_of(data.cast.database), size=1, streams=1) as database:
        done = await freeze(services_of(database), data.distributor, MARCH, APRIL)
    assert done.numbers == ["INV-2026-00001"]


async def test_what_was_sent_to_clients_is_charged_by_the_gigabyte(data: Sellers) -> None:
    """1,500 GB at 1.2 cents, sent on two days; the hours before and after the month are of others."""
    quinn = await data.another("Quinn")
    await data.describe(quinn)
    book = await data.price(data.distributor, excess="0", egress_per_gb=Decimal("1.2"))
    await data.assign(data.distributor, SubjectKind.PARTNER, quinn.organisation_id, book, MARCH)
    account, region = await data.cast.row(
        "select id, region_id from storage_account where partner_id = %s", quinn.organisation_id
    )
    hours = [("2026-02-28", 7 * TB), ("2026-03-01", TB), ("2026-03-31", TB // 2), ("2026-04-01", 9 * TB)]
    sent = [Traffic(account, at(day, "23:00:00"), size, 0, 1) for day, size in hours]
    await store(data.cast.database, region, sent, APRIL)
    await data.freeze(data.distributor)
    lines = await data.rows(
        "(select array_agg(l.amount order by l.no) from statement_line l where l.statement_id = s.id and l.product ="
        f" 'egress' and s.partner_id = '{quinn.organisation_id}')",
        data.distributor,
    )
    assert [row[0] for row in lines if row[0]] == [[Decimal("18.00")]]
