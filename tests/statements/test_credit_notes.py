"""Credit notes: never more than their statement, to the last cent, and statements that are void."""

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.api.conftest import AppClient
from tests.cast import TB
from tests.roles import run_as_owner, url_of
from tests.statements.months import APRIL, Sellers, sellers_with_prices
from tests.statements.test_statements_api import call, frozen
from tonnage.access.actor import Actor
from tonnage.billing.line import Extra, Line
from tonnage.billing_profiles.tax import TaxCategory, tax_document
from tonnage.cli.commands.statement import show_statement
from tonnage.credit_notes.checks import newest
from tonnage.credit_notes.credit_note import CreditNote, credit_note
from tonnage.credit_notes.new_credit_note import LineAmount, NewCreditNote
from tonnage.credit_notes.original import Original
from tonnage.errors import Conflict, Invalid
from tonnage.money import Money, total
from tonnage.month_end.correction_queries import changed_sellers
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.statements.adjustment import TaxKind, gross, taxes
from tonnage.statements.checks import adjustments
from tonnage.statements.frozen import StoredStatement

pytestmark = pytest.mark.oldest_postgresql

MARCH = date(2026, 3, 1)
AT_20, AT_19 = TaxKind(TaxCategory.STANDARD, Decimal(20)), TaxKind(TaxCategory.STANDARD, Decimal(19))


def stored(*amounts: str, kinds: tuple[TaxKind, ...] = (AT_20,), currency: str = "EUR") -> Original:
    """A statement with these lines, each taxed as its place in `kinds` says."""
    buyer = uuid4()
    money = [Money(Decimal(amount), currency) for amount in amounts]
    lines = [Line(Extra.MINIMUM_CHARGE, buyer, None, MARCH, date(2026, 3, 31), one) for one in money]
    line_kinds = [kinds[place % len(kinds)] for place in range(len(lines))]
    bases: dict[TaxKind | None, Money] = {kind: Money.zero(currency) for kind in kinds}
    for kind, one in zip(line_kinds, money, strict=True):
        bases[kind] += one
    decided = taxes(bases)
    copied = {"taxes": [tax_document(one) for one in decided]}
    net = total(money, currency)
    statement = StoredStatement(
        uuid4(), uuid4(), Subject(SubjectKind.PARTNER, buyer), MARCH, currency, net.amount,
        gross(bases, decided, currency).amount, copied, "INV-1", datetime(2026, 4, 3, tzinfo=UTC), None, None, None,
        Decimal(0), None, None, None, None, None, None, None, lines, ["Pia" for _ in lines],
    )  # fmt: skip
    return Original(statement, line_kinds, [], Money.zero(currency))


def issued(original: Original, note: CreditNote) -> Original:
    """The statement with one more credit note."""
    kept = replace(
        original.statement, id=uuid4(), number="INV-2", net=note.net.amount, gross=note.gross.amount, lines=note.lines,
        copied=note.document(), original_id=original.statement.id,
    )  # fmt: skip
    return replace(original, notes=[*original.notes, kept])


def amounts(original: Original, *wanted: tuple[int, str]) -> Mapping[int, Money]:
    found = NewCreditNote.read([LineAmount(*one) for one in wanted], "Why", original.statement).amounts
    assert found is not None
    return found


def test_notes_by_line_end_at_the_gross_of_their_statement() -> None:
    """Each rounded by itself would be 0.01 more than the statement."""
    original = stored("68.33", "68.33", "57.50", "85.00")
    assert f"{original.statement.gross:f}" == "334.99"
    found: list[str] = []
    for number, amount in ((1, "68.33"), (3, "57.50"), (4, "85.00"), (2, "68.33")):
        note = credit_note(original, amounts(original, (number, amount)))
        found.append(f"{-note.gross.amount:f}")
        original = issued(original, note)
    assert found == ["82.00", "69.00", "102.00", "81.99"]
    with pytest.raises(Conflict):
        credit_note(original, None)


@pytest.mark.parametrize("seed", range(40))
def test_what_is_taken_back_as_a_whole_mirrors_its_statement(seed: int) -> None:
    """In any number of notes, with discounts, several taxes, and currencies without and with three digits."""
    chance = random.Random(seed)
    currency, unit = chance.choice([("EUR", "0.01"), ("JPY", "1"), ("KWD", "0.001")])
    kinds = chance.choice([(AT_20,), (AT_19, AT_20), (TaxKind(TaxCategory.REVERSE_CHARGE, Decimal(0)),)])
    units = [chance.choice([1, 2, 3, 999, 12345]) for _ in range(chance.randint(1, 5))] + [-1] * chance.randint(0, 1)
    original = stored(*[f"{one * Decimal(unit):f}" for one in units], kinds=kinds, currency=currency)
    for number, line in enumerate(original.statement.lines, 1):
        part = line.amount.amount.scaleb(0) if chance.random() < 0.3 else Decimal(unit)
        if line.amount.amount > 0 and chance.random() < 0.6:
            try:
                note = credit_note(original, amounts(original, (number, f"{min(part, line.amount.amount):f}")))
            except Conflict:  # a negative line leaves less in all than this line has
                continue
            original = issued(original, note)
    if original.net_left:
        original = issued(original, credit_note(original, None))
    notes, nothing = original.notes, Money.zero(currency)
    assert sum(note.net for note in notes) == -original.statement.net
    assert sum(note.gross for note in notes) == -original.statement.gross
    for place, tax in enumerate(original.statement.copied["taxes"]):
        for name in ("base", "amount"):
            of_notes = [
                Decimal(one[name]) for note in notes for one in note.copied["taxes"]
                if (one["category"], one["rate"]) == (tax["category"], tax["rate"])
            ]  # fmt: skip
            assert sum(of_notes) == -Decimal(tax[name]), place
    assert original.net_left == original.gross_left == nothing


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ([(1, "68.34")], "Of line 1 of INV-1 EUR 68.33 is left to take back, and not EUR 68.34."),
        ([(1, "68.33"), (2, "20.00")], "Of INV-1 EUR 78.33 is left to take back before taxes, EUR 94.00 with them"),
        ([(3, "-10.00")], "Nothing would be taken back of INV-1"),
    ],
    ids=["a line", "beside its discount", "a discount alone"],
)
def test_a_note_is_never_above_its_statement(wanted: list[tuple[int, str]], said: str) -> None:
    original = stored("68.33", "20.00", "-10.00")
    with pytest.raises(Conflict, match=said.replace(".", r"\.")):
        credit_note(original, amounts(original, *wanted))


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        ([(3, "1"), (0, "1")], ["lines.0", "lines.1"]),
        ([(1, "1"), (1, "1")], ["lines.1"]),
        ([(1, "0"), (2, "-1")], ["lines.0", "lines.1"]),
        ([(1, "1.001")], ["lines.0"]),
        ([(1, "1e1"), (2, "NaN")], ["lines.0", "lines.1"]),
        ([], ["lines"]),
    ],
)
def test_amounts_that_are_refused(wanted: list[tuple[int, str]], fields: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        NewCreditNote.read([LineAmount(*one) for one in wanted], "\n", stored("5.00", "5.00").statement)
    assert [error.field for error in refused.value.fields] == [*fields, "reason"]


@pytest.fixture
async def data(client: AppClient) -> Sellers:
    client.clock.now = APRIL
    return await sellers_with_prices(client.cast)


async def credit(client: AppClient, data: Sellers, of: Any, status: int = 201, **body: Any) -> Any:
    path = f"statements/{of['id']}/credit-notes"
    answer = await call(client, data.distributor, "POST", path, json={"reason": "Outage", **body})
    assert answer.status_code == status, answer.text
    if status != 201:
        return answer.json()
    whole = await shown(client, data.distributor, answer.json())
    assert {name: whole[name] for name in answer.json()} == answer.json()
    return whole


async def shown(client: AppClient, who: Actor, of: Any) -> Any:
    return (await call(client, who, "GET", f"statements/{of['id']}")).json()


async def wrong(client: AppClient, *ids: str) -> list[str]:
    """What the doctor says about these adjustments and statements: other tests of the database tamper with theirs."""
    checks = [await client.cast.database.run(check) for check in (adjustments, newest)]
    return [one.stored for check in checks for one in check.differences if one.subject in ids]


@pytest.mark.anyio
async def test_a_credit_note_is_a_statement_of_its_own(
    client: AppClient, data: Sellers, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines of 90.00 and 20.00 at 19 %: 130.90."""
    listed = await frozen(client, data)
    before = await shown(client, data.partner, listed)
    note = await credit(client, data, listed, lines=[{"no": 2, "amount": "5.00"}])
    assert (note["number"], note["kind"], note["original"], note["originalNumber"], note["state"]) == (
        "INV-2026-00002", "credit_note", listed["id"], listed["number"], "frozen",
    )  # fmt: skip
    assert (note["net"], note["taxes"][0]["amount"], note["gross"]) == ("-5.00", "-0.95", "-5.95")
    ((line),) = note["lines"]
    assert (line["creditedLine"], line["product"], line["amount"]) == (2, "excess", "-5.00")
    show_statement(json.dumps(note).encode(), as_json=False)
    assert f"Credit note of {listed['number']}: Outage\n" in capsys.readouterr().out
    for who in (data.distributor, data.partner):
        assert await shown(client, who, note) == note
        assert await shown(client, who, listed) == {**before, "credited": "5.95"}
    assert (await call(client, client.cast.operator, "GET", f"statements/{note['id']}")).status_code == 404
    listed_notes = (await call(client, data.partner, "GET", f"statements?original={listed['id']}")).json()
    assert [(one["id"], one["kind"]) for one in listed_notes] == [(note["id"], "credit_note")]
    assert (await call(client, data.partner, "GET", f"statements/{note['id']}/lines/1/working")).status_code == 404
    pdf = await call(client, data.partner, "GET", f"statements/{note['id']}.pdf")
    assert pdf.content.startswith(b"%PDF")

    rest = await credit(client, data, listed)
    assert (rest["net"], rest["gross"]) == ("-105.00", "-124.95")
    assert (await shown(client, data.partner, listed))["state"] == "credited"
    month = (await call(client, data.distributor, "GET", "months/2026-03")).json()
    assert month["sold"] == [{"currency": "EUR", "statements": 1, "net": "0.00", "gross": "0.00", "paid": "0.00"}]
    states = {
        state: [
            one["number"] for one in (await call(client, data.distributor, "GET", f"statements?state={state}")).json()
        ]
        for state in ("frozen", "overdue", "paid", "credited", "void")
    }
    of_notes = [note["number"], rest["number"]]
    assert states == {"frozen": of_notes, "overdue": [], "paid": [], "credited": [listed["number"]], "void": []}
    payment = {"paidOn": "2026-04-02", "reference": "Line 4"}
    refused = await call(client, data.distributor, "POST", f"statements/{listed['id']}/payment", json=payment)
    assert (refused.status_code, refused.json()["code"]) == (409, "statement_state")
    refund = await call(client, data.distributor, "POST", f"statements/{note['id']}/payment", json=payment)
    assert (refund.status_code, refund.json()["code"]) == (409, "statement_state")
    assert await wrong(client, listed["id"]) == []


@pytest.mark.anyio
async def test_who_and_what_may_not_be_credited(client: AppClient, data: Sellers) -> None:
    listed = await frozen(client, data)
    path = f"statements/{listed['id']}/credit-notes"
    for who in (data.partner, client.cast.operator):
        assert (await call(client, who, "POST", path, json={"reason": "Mine"})).status_code == 404
    refused = await credit(client, data, listed, 409, lines=[{"no": 2, "amount": "20.01"}])
    assert (refused["code"], "EUR 20.00" in refused["message"]) == ("credit_too_high", True)
    refused = await credit(client, data, listed, 422, lines=[{"no": 9, "amount": "x"}], reason="")
    assert [error["field"] for error in refused["errors"]] == ["lines.0", "reason"]
    note = await credit(client, data, listed)
    assert (await credit(client, data, listed, 409))["code"] == "credit_too_high"
    assert (await credit(client, data, note, 409))["code"] == "statement_state"
    void = await call(client, data.distributor, "POST", f"statements/{note['id']}/void", json={"reason": "x"})
    assert void.json()["code"] == "statement_state"


@pytest.mark.anyio
async def test_the_doctor_finds_a_changed_credit_note(client: AppClient, data: Sellers) -> None:
    listed = await frozen(client, data)
    note = await credit(client, data, listed, lines=[{"no": 2, "amount": "5.00"}])
    conninfo = url_of(client.cast.database)
    for tampered in ("-5.94", "-5.95"):
        run_as_owner(
            conninfo,
            "alter table statement disable trigger frozen;"
            f" update statement set gross = {tampered} where id = '{note['id']}';"
            " alter table statement enable trigger frozen",
        )
        found = await wrong(client, listed["id"])
        assert found == (["INV-2026-00002: the total -5.94 is stored, -5.95 is right"] if tampered == "-5.94" else [])


@pytest.mark.anyio
async def test_a_void_statement_makes_room_for_another(client: AppClient, data: Sellers) -> None:
    """The goodwill that it had is in the new one."""
    body = {"buyer": str(data.partner.organisation_id), "amount": "-5.00", "reason": "The outage"}
    goodwill = (await call(client, data.distributor, "POST", "adjustments", json=body)).json()
    listed = await frozen(client, data)
    path = f"statements/{listed['id']}/void"
    assert (await call(client, data.partner, "POST", path, json={"reason": "x"})).status_code == 404
    assert (await call(client, data.distributor, "POST", path, json={"reason": " "})).status_code == 422
    assert (await call(client, data.distributor, "POST", path, json={"reason": "Wrong address"})).status_code == 204
    void = await shown(client, data.partner, listed)
    assert (void["state"], void["number"], void["voidReason"]) == ("void", listed["number"], "Wrong address")
    month = (await call(client, data.distributor, "GET", "months/2026-03")).json()
    assert month["sold"] == []
    for door, more in (("void", {}), ("credit-notes", {}), ("payment", {"paidOn": "2026-04-02", "reference": "x"})):
        again = more or {"reason": "x"}
        refused = await call(client, data.distributor, "POST", f"statements/{listed['id']}/{door}", json=again)
        assert (refused.status_code, refused.json()["code"]) == (409, "statement_state"), door

    done = (await call(client, data.distributor, "POST", "months/2026-03/freeze")).json()
    assert (done["frozen"], done["first"]) == (1, "INV-2026-00002")
    found = (await call(client, data.partner, "GET", "statements?role=buyer")).json()
    assert [(one["number"], one["state"], one["net"]) for one in found] == [
        ("INV-2026-00001", "void", "105.00"), ("INV-2026-00002", "frozen", "105.00"),
    ]  # fmt: skip
    assert await wrong(client, goodwill["id"]) == []


@pytest.mark.anyio
async def test_what_cannot_be_void(client: AppClient, data: Sellers) -> None:
    listed = await frozen(client, data)
    codes: list[str] = []

    async def refused() -> None:
        answer = await call(
            client, data.distributor, "POST", f"statements/{listed['id']}/void", json={"reason": "Wrong"}
        )
        codes.append(answer.json()["code"])

    await data.store(12 * TB)
    await call(client, data.distributor, "POST", "months/2026-03/freeze")
    await refused()
    await credit(client, data, listed, lines=[{"no": 2, "amount": "5.00"}])
    await refused()
    payment = {"paidOn": "2026-04-02", "reference": "Line 4"}
    await call(client, data.distributor, "POST", f"statements/{listed['id']}/payment", json=payment)
    await refused()
    assert codes == ["statement_state", "statement_state", "statement_paid"]


@pytest.mark.anyio
@pytest.mark.parametrize("negative_total", ["carried", "credit-note"])
async def test_a_total_below_zero(client: AppClient, data: Sellers, negative_total: str) -> None:
    """March was 110.00, and is 0.10 like April, which has that much of the difference."""
    await data.number(data.distributor, negative_total=negative_total)
    listed = await frozen(client, data)
    await data.reprice(data.distributor, "0.001", "0")
    client.clock.now = APRIL.replace(month=5)
    done = await call(client, data.distributor, "POST", "months/2026-04/freeze")
    assert done.status_code == 200, done.text
    (made,) = (await call(client, data.distributor, "GET", "adjustments")).json()
    notes = (await call(client, data.distributor, "GET", f"statements?original={listed['id']}")).json()
    carried = negative_total == "carried"
    assert (made["amount"], made["remaining"]) == ("-109.90", "-109.80" if carried else "0.00")
    assert [(one["net"], one["gross"], one["month"]) for one in notes] == (
        [] if carried else [("-109.80", "-130.66", "2026-03")]
    )
    assert await wrong(client, made["id"], listed["id"]) == []


async def adjusted(client: AppClient, data: Sellers) -> list[tuple[str, str]]:
    """Amounts and what remains of them, in their order."""
    found = (await call(client, data.distributor, "GET", "adjustments")).json()
    return [(one["amount"], one["remaining"]) for one in found]


async def freeze(client: AppClient, data: Sellers, month: str = "2026-03") -> None:
    done = await call(client, data.distributor, "POST", f"months/{month}/freeze")
    assert done.status_code == 200, done.text


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("credited", "first", "again"),
    [(None, [], ["20.00"]), ("50.00", ["-60.00"], ["-60.00", "80.00"])],
    ids=["as a whole", "in part"],
)
async def test_what_is_taken_back_is_not_adjusted_a_second_time(
    client: AppClient, data: Sellers, credited: str | None, first: list[str], again: list[str]
) -> None:
    """March was 110.00, is worth 10.00 and then 130.00: less what is credited, and never below zero."""
    listed = await frozen(client, data)
    lines = {"lines": [{"no": 1, "amount": credited}]} if credited else {}
    await credit(client, data, listed, 201, **lines)
    await data.reprice(data.distributor, "0.1", "0")
    await freeze(client, data)
    assert [amount for amount, _ in await adjusted(client, data)] == first
    await data.reprice(data.distributor, "0.9", "4")
    await freeze(client, data)
    assert [amount for amount, _ in await adjusted(client, data)] == again
    assert await wrong(client, listed["id"]) == []


@pytest.mark.anyio
async def test_all_that_is_left_leaves_out_what_adjustments_take_off(client: AppClient, data: Sellers) -> None:
    """March was 110.00 and is 100.00; the statement of April has that difference, and gives it back."""
    listed = await frozen(client, data)
    await data.reprice(data.distributor, "0.8", "2", date(2026, 3, 1))
    client.clock.now = APRIL.replace(month=5)
    await freeze(client, data, "2026-04")
    assert await adjusted(client, data) == [("-10.00", "0.00")]
    note = await credit(client, data, listed)
    assert (note["net"], [line["amount"] for line in note["lines"]]) == ("-100.00", ["-90.00", "-10.00"])
    (april,) = (await call(client, data.distributor, "GET", "statements?role=seller&month=2026-04")).json()
    await credit(client, data, april)
    ((_, remaining),) = await adjusted(client, data)
    assert remaining == "-10.00"
    (adjustment,) = (await call(client, data.distributor, "GET", "adjustments")).json()
    assert await wrong(client, listed["id"], april["id"], adjustment["id"]) == []

    # All of April is taken back, with the line of March: April at lower prices has nothing to give back.
    await data.reprice(data.distributor, "0.7", "2", date(2026, 4, 1))
    await freeze(client, data, "2026-04")
    assert len(await adjusted(client, data)) == 1


@pytest.mark.anyio
async def test_a_void_statement_is_made_again_by_the_nightly_job(client: AppClient, data: Sellers) -> None:
    listed = await frozen(client, data)
    client.clock.now = APRIL.replace(month=5)
    await freeze(client, data, "2026-04")
    body = {"reason": "Wrong address"}
    assert (
        await call(client, data.distributor, "POST", f"statements/{listed['id']}/void", json=body)
    ).status_code == 204
    changed = [(seller, month) for seller, _, month in await client.cast.database.run(changed_sellers)]
    assert (data.distributor.organisation_id, MARCH) in changed, "the nightly job freezes those months"
    await data.freeze(data.distributor)
    found = (await call(client, data.distributor, "GET", "statements?role=seller&month=2026-03")).json()
    assert [(one["state"], one["net"]) for one in found] == [("void", "110.00"), ("overdue", "110.00")]


@pytest.mark.anyio
async def test_a_total_of_a_month_that_was_frozen_before_waits(client: AppClient, data: Sellers) -> None:
    """April has its statement already, so that the next one may hold what March charges less."""
    await data.number(data.distributor, negative_total="credit-note")
    listed = await frozen(client, data)
    client.clock.now = APRIL.replace(month=5)
    await freeze(client, data, "2026-04")
    await data.reprice(data.distributor, "0.001", "0")
    await freeze(client, data, "2026-04")
    assert (await call(client, data.distributor, "GET", f"statements?original={listed['id']}")).json() == []


@pytest.mark.anyio
async def test_a_void_statement_never_changes_again(client: AppClient, data: Sellers) -> None:
    """Nor does an older program correct it, or a credit note."""
    listed = await frozen(client, data)
    note = await credit(client, data, listed, lines=[{"no": 2, "amount": "5.00"}])
    for attempt in (
        f"update statement set credited = 0 where id = '{listed['id']}'",
        f"update statement set reason = 'x' where id = '{note['id']}'",
        "insert into statement (seller_id, partner_id, month, buyer_key, currency, net, gross, document, design, input,"
        " digest, computed_at, corrects) select seller_id, partner_id, month, buyer_key, currency, net, gross,"
        f" document, design, input, digest, computed_at, id from statement where id = '{note['id']}'",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation):
            run_as_owner(url_of(client.cast.database), attempt)
