"""Cases of docs/statement-cases.md, from the first price to the frozen statement, by the clock of a sandbox.

Many buyers share a sandbox, so that a few advances of its clock serve all of them. Prices are cents a GB-month.
"""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.sandbox.steps import AUSTRIAN, GB, GERMAN, TB, Distributor, Partner, Refused, Sandbox, amounts, rates, spans
from tests.sandbox.timelines import Results, begins

NOVEMBER, DECEMBER = "2026-11", "2026-12"


@pytest.fixture(scope="module")
def results(
    new_database: Callable[[], AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Results:
    names = {item.name for item in request.session.items if item.path == request.path}
    return Results(new_database, tmp_path_factory.mktemp("sandboxes"), names)


def a_distributor(sandbox: Sandbox) -> tuple[Distributor, str]:
    """The one of most cases, and its contract."""
    if not sandbox.shared:
        distributor = sandbox.distributor()
        sandbox.shared.append((distributor, distributor.contract()))
    return sandbox.shared[0]


def a_partner(sandbox: Sandbox, allocated: int = 0, **prices: Any) -> Partner:
    """Of the distributor of most cases, from today on."""
    distributor, contract = a_distributor(sandbox)
    return distributor.priced(contract, allocated, **prices)


@begins("2027-01-31")
def test_a_reservation_from_the_last_of_a_month(sandbox: Sandbox) -> Generator[str]:
    partner = a_partner(sandbox, 10 * TB, reserved="1")
    yield "2027-05-03"
    charged = {month: amounts(partner.statement(month)) for month in ("2027-01", "2027-02", "2027-03", "2027-04")}
    assert charged == {"2027-01": ["3.23"], "2027-02": ["100.00"], "2027-03": ["100.00"], "2027-04": ["100.00"]}


@begins("2025-02-26")
def test_the_last_three_days_of_a_short_february(sandbox: Sandbox) -> Generator[str]:
    partner = a_partner(sandbox, minimumCharge="900")
    yield "2025-03-03"
    assert amounts(partner.statement("2025-02")) == ["0.96"]


@begins("2028-02-27")
def test_the_last_three_days_of_a_long_february(sandbox: Sandbox) -> Generator[str]:
    partner = a_partner(sandbox, minimumCharge="900")
    yield "2028-03-03"
    assert amounts(partner.statement("2028-02")) == ["0.93"]


@begins("2028-02-29")
def test_the_last_day_of_a_long_february(sandbox: Sandbox) -> Generator[str]:
    partner = a_partner(sandbox, 29 * TB, reserved="1")
    yield "2028-03-03"
    assert amounts(partner.statement("2028-02")) == ["10.00"]


@begins("2027-02-28")
def test_the_last_day_of_a_short_february(sandbox: Sandbox) -> Generator[str]:
    partner = a_partner(sandbox, 28 * TB, reserved="1")
    yield "2027-03-03"
    assert amounts(partner.statement("2027-02")) == ["10.00"]


@begins("2027-05-20")
def test_the_denominator_is_the_whole_month(sandbox: Sandbox) -> Generator[str]:
    partner = a_partner(sandbox, TB, excess="10")
    partner.use(2 * TB, "2027-05-20", "2027-05-31")
    yield "2027-06-03"
    assert amounts(partner.statement("2027-05")) == ["38.71"]


@begins("2026-10-31")
def test_the_last_half_hour_of_october(sandbox: Sandbox) -> Generator[str]:
    """48 TB for half an hour are 1 TB on the mean of that day."""
    partner = a_partner(sandbox, payPerUse="31")
    account = partner.account()
    yield "2026-11-01"
    sandbox.upload((account, "2026-10-31T23:30:00Z", 48 * TB), (account, "2026-11-01T00:00:00Z", 0))
    yield "2026-12-03"
    assert spans(partner.statement("2026-10")) == [("2026-10-31", "2026-10-31", "10.00")]
    assert partner.statements(NOVEMBER) == []


@begins("2026-11-01")
def test_the_instant_between_two_months(sandbox: Sandbox) -> Generator[str]:
    partner = a_partner(sandbox, payPerUse="1")
    account = partner.account()
    yield "2026-12-01"
    sandbox.upload((account, "2026-12-01T00:00:00Z", TB))
    yield "2027-01-03"
    assert partner.statements(NOVEMBER) == []
    assert spans(partner.statement(DECEMBER)) == [("2026-12-01", "2026-12-31", "10.00")]


@begins("2026-11-01")
def test_a_price_change_inside_a_month(sandbox: Sandbox) -> Generator[str]:
    partner = a_partner(sandbox, TB, excess="10")
    partner.price(since="2026-11-16", excess="12")
    partner.use(2 * TB, "2026-11-01", "2026-11-30")
    yield "2026-12-03"
    both = [("2026-11-01", "2026-11-15", "50.00"), ("2026-11-16", "2026-11-30", "60.00")]
    assert spans(partner.statement(NOVEMBER)) == both


@begins("2026-11-01")
def test_two_price_changes_on_one_day(sandbox: Sandbox) -> Generator[str]:
    partner = a_partner(sandbox, TB, excess="10")
    for excess in ("12", "9"):
        partner.price(since="2026-11-16", excess=excess)
    partner.use(2 * TB, "2026-11-01", "2026-11-30")
    yield "2026-12-03"
    statement = partner.statement(NOVEMBER)
    assert (amounts(statement), statement["net"]) == (["50.00", "45.00"], "95.00")


@begins("2026-11-01")
def test_each_day_has_the_version_of_its_own(sandbox: Sandbox) -> Generator[str]:
    partner = a_partner(sandbox, TB, reserved="10")
    yield "2026-11-10"
    partner.price(reserved="20")
    yield "2026-12-03"
    versions = [("2026-11-01", "2026-11-09", "30.00"), ("2026-11-10", "2026-11-30", "140.00")]
    assert spans(partner.statement(NOVEMBER)) == versions


@begins("2026-11-03")
def test_changes_within_a_day(sandbox: Sandbox) -> Generator[str]:
    partner = a_partner(sandbox, TB, excess="30")
    partner.use(3 * TB, "2026-11-03", "2026-11-03")
    partner.resize(5 * TB)
    partner.resize(TB)
    yield "2026-12-03"
    statement = partner.statement(NOVEMBER)
    (line,) = statement["lines"]
    assert (line["byteDays"], line["amount"]) == (2 * TB, "20.00")


@begins("2026-11-01")
def test_a_downgrade_on_the_first_day(sandbox: Sandbox) -> Generator[str]:
    distributor, _ = a_distributor(sandbox)
    contract = distributor.contract(reserved="200TB")
    sandbox.price(contract, reserved="1")
    sandbox.command.ok("contract", "amend", contract, "--reserved", "50TB")
    yield "2026-12-03"
    assert amounts(sandbox.statement(NOVEMBER, contract)) == ["500.00"]


@begins("2026-11-01")
def test_a_move_inside_a_month(sandbox: Sandbox) -> Generator[str]:
    """Charged by the distributor, and for each contract by the operator."""
    distributor, _ = a_distributor(sandbox)
    before, after = distributor.contract("10"), distributor.contract("20")
    distributor.price(before, excess="10")
    distributor.price(after, excess="20")
    partner = distributor.partner(before, TB)
    partner.use(2 * TB, "2026-11-01", "2026-11-30")
    yield "2026-11-16"
    distributor.call("PUT", f"/ext/v1/partner/{partner.id}/contract", {"distributorContractId": after})
    yield "2026-12-03"
    lines = partner.statement(NOVEMBER)["lines"]
    assert [(line["contract"], line["amount"]) for line in lines] == [(before, "50.00"), (after, "100.00")]
    assert [amounts(sandbox.statement(NOVEMBER, one)) for one in (before, after)] == [["50.00"], ["100.00"]]


@begins("2026-11-01")
def test_a_resize_dated_into_a_frozen_month(sandbox: Sandbox) -> Generator[str]:
    """2 TB instead of 1 TB from the 16th on, at 1: 5.00 more reserved. A price from then on is refused, too."""
    partner = a_partner(sandbox, TB, reserved="1")
    yield "2026-12-03"
    frozen, document = partner.statement(NOVEMBER), partner.pdf(NOVEMBER)
    resize = ("partner", "resize", partner.id, "--allocated", "2TB", "--from", "2026-11-16")
    assert "frozen" in sandbox.command.refused(*resize)
    with pytest.raises(Refused) as refused:
        partner.price(since="2026-11-16", reserved="2")
    assert (refused.value.status, refused.value.code) == (409, "month_frozen")
    sandbox.command.ok(*resize, "--correct")
    yield "2026-12-05"
    (adjustment,) = partner.adjustments()
    assert (adjustment["month"], adjustment["amount"]) == (NOVEMBER, "5.00")
    assert (partner.statement(NOVEMBER), partner.pdf(NOVEMBER)) == (frozen, document)
    yield "2027-01-03"
    assert amounts(partner.statement(DECEMBER)) == ["20.00", "5.00"]


@begins("2026-11-01")
def test_the_same_file_twice(sandbox: Sandbox) -> Generator[str]:
    partner = a_partner(sandbox, TB, excess="10")
    account = partner.account()
    readings = [(account, f"2026-11-{day:02}T00:00:00Z", 2 * TB) for day in range(1, 31)]
    yield "2026-12-01"
    assert sandbox.upload(*readings)["changed"] == 30
    draft = partner.draft(NOVEMBER)
    assert sandbox.upload(*readings)["changed"] == 0
    assert partner.draft(NOVEMBER) == draft
    yield "2026-12-03"
    frozen = partner.statement(NOVEMBER)
    assert amounts(frozen) == ["100.00"]
    assert sandbox.upload(*readings)["changed"] == 0
    yield "2026-12-05"
    assert (partner.statement(NOVEMBER), partner.adjustments()) == (frozen, [])


@begins("2026-11-01")
def test_ten_requests_at_once_freeze_a_month(sandbox: Sandbox) -> Generator[str]:
    distributor = sandbox.distributor(numberFormat="{number}")
    contract = distributor.contract()
    for _ in range(3):
        distributor.priced(contract, TB, reserved="1")
    yield "2026-12-01"

    def freeze(_: int) -> int | str:
        """How many it has frozen; or the code of its refusal."""
        try:
            return distributor.freeze(NOVEMBER)["frozen"]
        except Refused as refused:
            return refused.code

    with ThreadPoolExecutor(10) as requests:
        done = list(requests.map(freeze, range(10)))
    assert done.count(3) == 1
    assert {0, 3} <= set(done) <= {0, 3, "freeze_in_progress"}
    yield "2026-12-05"
    assert [one["number"] for one in distributor.statements(NOVEMBER)] == ["1", "2", "3"]


@begins("2026-11-01")
def test_drafts_that_are_dropped_take_no_number(sandbox: Sandbox) -> Generator[str]:
    """Nothing is charged in three of five, after their readings were corrected."""
    distributor = sandbox.distributor(numberFormat="{number}")
    contract = distributor.contract()
    partners = [distributor.priced(contract, payPerUse="1") for _ in range(5)]
    accounts = [partner.use(TB, "2026-11-01", "2026-11-30") for partner in partners]
    yield "2026-12-01"
    assert [amounts(partner.draft(NOVEMBER)) for partner in partners] == [["10.00"]] * 5
    for account in accounts[1:4]:
        sandbox.use(account, "2026-11-01", "2026-11-30", 0)
    assert [amounts(partner.draft(NOVEMBER)) for partner in partners] == [["10.00"], [], [], [], ["10.00"]]
    yield "2026-12-03"
    assert [one["number"] for one in distributor.statements(NOVEMBER)] == ["1", "2"]
    assert [len(partner.statements(NOVEMBER)) for partner in partners] == [1, 0, 0, 0, 1]


def by_days(partner: Partner, *given: tuple[int, str]) -> None:
    """Lines of a month of 30 days, each for so many days and with that price: 1,000 GB beyond the allocation."""
    partner.use(2 * TB, "2026-11-01", "2026-11-30")
    day = 1
    for days, price in given:
        partner.price(since=f"2026-11-{day:02}", excess=price)
        day += days


@begins("2026-11-01")
def test_credit_notes_never_exceed_their_statement(sandbox: Sandbox) -> Generator[str]:
    distributor = sandbox.distributor(percent="20")
    contract = distributor.contract()
    by_line, whole = (distributor.priced(contract, TB, excess="0") for _ in range(2))
    for partner in (by_line, whole):
        by_days(partner, (10, "20.499"), (8, "25.62375"), (6, "28.75"), (6, "42.5"))
    yield "2026-12-03"
    statement = by_line.statement(NOVEMBER)
    assert (amounts(statement), statement["gross"]) == (["68.33", "68.33", "57.50", "85.00"], "334.99")
    notes = [
        distributor.credit(statement["id"], (no, amount))
        for no, amount in ((1, "68.33"), (3, "57.50"), (4, "85.00"), (2, "68.33"))
    ]
    assert [note["gross"] for note in notes] == ["-82.00", "-69.00", "-102.00", "-81.99"]
    with pytest.raises(Refused) as refused:
        distributor.credit(statement["id"], (1, "0.01"))
    assert (refused.value.status, refused.value.code) == (409, "credit_too_high")

    statement = whole.statement(NOVEMBER)
    note = distributor.credit(statement["id"])
    assert [f"-{amount}" for amount in amounts(statement)] == amounts(note)
    for name in ("net", "gross"):
        assert note[name] == f"-{statement[name]}"
    for tax, back in zip(statement["taxes"], note["taxes"], strict=True):
        assert (back["base"], back["amount"]) == (f"-{tax['base']}", f"-{tax['amount']}")


@begins("2026-11-01")
def test_half_a_cent_below_zero(sandbox: Sandbox) -> Generator[str]:
    """10 % off of 26.75 are -2.675."""
    partner = a_partner(sandbox, payPerUse="1", discountPercent="10")
    partner.use(2675 * GB, "2026-11-01", "2026-11-30")
    yield "2026-12-03"
    assert amounts(partner.statement(NOVEMBER)) == ["26.75", "-2.68"]


@begins("2026-11-01")
def test_each_line_is_rounded_once(sandbox: Sandbox) -> Generator[str]:
    distributor, _ = a_distributor(sandbox)
    contract = distributor.contract("0.5")
    for _ in range(3):
        distributor.partner(contract).use(GB, "2026-11-01", "2026-11-30")
    yield "2026-12-03"
    statement = sandbox.statement(NOVEMBER, contract)
    assert (amounts(statement), statement["net"]) == (["0.01"] * 3, "0.03")


@begins("2026-11-01")
def test_the_tax_is_computed_once_on_the_sum(sandbox: Sandbox) -> Generator[str]:
    distributor, _ = a_distributor(sandbox)
    contract = distributor.contract("1")
    for _ in range(3):
        distributor.partner(contract).use(2 * GB, "2026-11-01", "2026-11-30")
    other = sandbox.distributor(percent="9")
    partner = other.priced(other.contract(), TB, excess="0")
    by_days(partner, (12, "3.8975"), (10, "4.677"), (5, "9.354"), (3, "15.59"))
    yield "2026-12-03"
    statement = sandbox.statement(NOVEMBER, contract)
    assert amounts(statement) == ["0.02"] * 3
    assert statement["taxes"] == [{"category": "S", "rate": "19", "base": "0.06", "amount": "0.01"}]
    statement = partner.statement(NOVEMBER)
    assert amounts(statement) == ["15.59"] * 4
    assert statement["taxes"] == [{"category": "S", "rate": "9", "base": "62.36", "amount": "5.61"}]


@begins("2026-12-01")
def test_digits_of_currencies(sandbox: Sandbox) -> Generator[str]:
    distributor, contract = a_distributor(sandbox)
    dinars = distributor.priced(contract, currency="KWD", payPerUse="123.45")
    dinars.use(GB, "2026-12-01", "2026-12-31")
    yield "2026-12-26"
    yen = distributor.priced(contract, currency="JPY", minimumCharge="1000000")
    yield "2027-01-03"
    assert [amounts(one.statement(DECEMBER)) for one in (yen, dinars)] == [["1935"], ["1.235"]]


def _tiers(mode: str) -> dict[str, Any]:
    bands = [{"upToGb": 100_000, "price": "0.6"}, {"upToGb": 500_000, "price": "0.5"}, {"price": "0.4"}]
    return {"on": "reserved", "mode": mode, "bands": bands}


@begins("2026-11-01")
def test_bounds_of_tiers(sandbox: Sandbox) -> Generator[str]:
    right = {
        ("graduated", 100_000): "600.00",
        ("graduated", 100_001): "600.01",
        ("graduated", 250_000): "1350.00",
        ("graduated", 600_000): "3000.00",
        ("volume", 100_000): "600.00",
        ("volume", 100_001): "500.01",
        ("volume", 250_000): "1250.00",
        ("volume", 500_000): "2500.00",
        ("volume", 600_000): "2400.00",
    }
    partners = {one: a_partner(sandbox, one[1] * GB, tiers=_tiers(one[0])) for one in right}
    yield "2026-12-03"
    found = {one: partner.statement(NOVEMBER) for one, partner in partners.items()}
    assert {one: statement["net"] for one, statement in found.items()} == right
    assert amounts(found["graduated", 600_000]) == ["600.00", "2000.00", "400.00"]


@begins("2026-11-01")
def test_bands_begin_at_0(sandbox: Sandbox) -> Generator[str]:
    partner = a_partner(sandbox, reserved="1")
    bands = [{"fromGb": 10_000, "upToGb": 100_000, "price": "0.6"}, {"price": "0.5"}]
    tiers = {"on": "reserved", "mode": "graduated", "bands": bands}
    with pytest.raises(Refused) as refused:
        partner.price(tiers=tiers)
    assert refused.value.status == 422
    yield sandbox.day


@begins("2026-12-17")
def test_a_minimum_charge_in_a_short_month(sandbox: Sandbox) -> Generator[str]:
    """2.00 are 200 GB-months, on 15 of 31 days."""
    partner = a_partner(sandbox, payPerUse="1", minimumCharge="1000")
    partner.use(413_333_333_333, "2026-12-17", "2026-12-31")
    yield "2027-01-03"
    assert amounts(partner.statement(DECEMBER)) == ["2.00", "2.84"]


@begins("2026-11-01")
def test_goodwill_after_a_minimum_charge(sandbox: Sandbox) -> Generator[str]:
    partner = a_partner(sandbox, payPerUse="1", minimumCharge="2500")
    partner.use(1200 * GB, "2026-11-01", "2026-11-30")
    body = {"buyer": partner.id, "amount": "-5.00", "reason": "Outage"}
    partner.seller.call("POST", "/ext/v1/adjustments", body)
    yield "2026-12-03"
    assert amounts(partner.statement(NOVEMBER)) == ["12.00", "13.00", "-5.00"]


def _pool(sandbox: Sandbox, pool: str = "partner") -> Partner:
    """1 TB at least, 8.00 a TB."""
    return a_partner(sandbox, payPerUse="0.8", payPerUseMinimum={"gb": 1000, "pool": pool})


@begins("2026-11-01")
def test_a_capacity_minimum(sandbox: Sandbox) -> Generator[str]:
    ramp, low, of_partner, of_accounts = (*(_pool(sandbox) for _ in range(3)), _pool(sandbox, "account"))
    ramp.use(2 * TB, "2026-11-16", "2026-11-30")
    low.use(400 * GB, "2026-11-01", "2026-11-30")
    for partner in (of_partner, of_accounts):
        for _ in range(5):
            partner.use(300 * GB, "2026-11-01", "2026-11-30")
    yield "2026-11-21"
    late = _pool(sandbox)
    late.use(400 * GB, "2026-11-21", "2026-11-30")
    yield "2026-12-03"
    assert amounts(ramp.statement(NOVEMBER)) == ["8.00"]
    assert amounts(low.statement(NOVEMBER)) == ["3.20", "4.80"]
    assert late.statement(NOVEMBER)["net"] == "2.67"
    assert of_partner.statement(NOVEMBER)["net"] == "12.00"
    assert of_accounts.statement(NOVEMBER)["net"] == "40.00"


@begins("2026-11-01")
def test_reverse_charge(sandbox: Sandbox) -> Generator[str]:
    distributor, contract = a_distributor(sandbox)
    without_id = sandbox.distributor(vat_id="")
    abroad = distributor.partner(contract, country="AT", vat_id=AUSTRIAN)
    private = distributor.partner(contract, country="AT")
    blocked = without_id.partner(without_id.contract(), country="AT", vat_id=AUSTRIAN)
    for partner in (abroad, private, blocked):
        partner.price(minimumCharge="1000")
    yield "2026-12-03"
    statement = abroad.statement(NOVEMBER)
    assert statement["taxes"] == [{"category": "AE", "rate": "0", "base": "10.00", "amount": "0.00"}]
    assert [statement["parties"][one]["vatId"] for one in ("seller", "buyer")] == [GERMAN, AUSTRIAN]
    statement = private.statement(NOVEMBER)
    assert statement["taxes"] == [{"category": "S", "rate": "19", "base": "10.00", "amount": "1.90"}]
    assert statement["taxWarning"] == "buyer_without_vat_id"
    assert blocked.statements(NOVEMBER) == []
    draft = blocked.draft(NOVEMBER)
    assert (draft["net"], draft["blocked"]) == ("10.00", "seller_without_vat_id")
    month = without_id.call("GET", f"/ext/v1/months/{NOVEMBER}")
    assert [one["reason"] for one in month["blocked"]] == ["seller_without_vat_id"]


@begins("2026-12-01")
def test_a_rate_that_changes_with_the_year(sandbox: Sandbox) -> Generator[str]:
    distributor = sandbox.distributor()
    distributor.call("PUT", "/ext/v1/tax-rates", rates(("2020-01-01", "19"), ("2027-01-01", "20")))
    partner = distributor.priced(distributor.contract(), TB, reserved="1")
    yield "2027-01-01"
    assert distributor.freeze(DECEMBER)["frozen"] == 1
    (tax,) = partner.statement(DECEMBER)["taxes"]
    assert (tax["rate"], tax["amount"]) == ("19", "1.90")
    (tax,) = partner.draft("2027-01")["taxes"]
    assert tax["rate"] == "20"


@begins("2026-11-01")
def test_a_partner_that_is_closed_on_the_10th(sandbox: Sandbox) -> Generator[str]:
    """Its account is deleted on that day, at midnight."""
    partner = a_partner(sandbox, TB, reserved="31", excess="31")
    account = partner.use(2 * TB, "2026-12-01", "2026-12-09")
    yield "2026-11-10"
    partner.seller.call("DELETE", f"/v1/partner/{partner.id}/storage-accounts/{account}")
    yield "2026-12-10"
    partner.seller.call("DELETE", f"/v1/partner/{partner.id}")
    yield "2027-01-03"
    lines = partner.statement(DECEMBER)["lines"]
    charged = [(line["product"], line["byteDays"], line["amount"]) for line in lines]
    assert charged == [("reserved", 9 * TB, "90.00"), ("excess", 9 * TB, "90.00")]


@begins("2026-12-01")
def test_the_largest_numbers(sandbox: Sandbox) -> Generator[str]:
    distributor = sandbox.distributor()
    contract = distributor.contract("1000000000000")
    partner = distributor.priced(contract, payPerUse="1000000000000")
    partner.use(2**63 - 1, "2026-12-01", "2026-12-31")
    yield "2027-01-03"
    for statement in (partner.statement(DECEMBER), sandbox.statement(DECEMBER, contract)):
        assert amounts(statement) == ["92233720368547758070.00"]
    assert partner.pdf(DECEMBER).startswith(b"%PDF")


@begins("2026-11-01")
def test_a_reading_that_is_corrected_after_the_month(sandbox: Sandbox) -> Generator[str]:
    """1 TB of excess on one of 30 days."""
    partner = a_partner(sandbox, TB, excess="10")
    account = partner.account()
    yield "2026-12-01"
    sandbox.upload(*((account, f"2026-11-{day:02}T00:00:00Z", 0) for day in range(1, 31)))
    yield "2026-12-10"
    assert partner.statements(NOVEMBER) == []
    assert sandbox.upload((account, "2026-11-20T00:00:00Z", 2 * TB))["changed"] == 1
    yield "2026-12-11"
    (adjustment,) = partner.adjustments()
    assert (adjustment["month"], adjustment["amount"]) == (NOVEMBER, "3.33")
    yield "2027-01-03"
    (line,) = partner.statement(DECEMBER)["lines"]
    assert (line["product"], line["amount"]) == ("adjustment", "3.33")
    assert partner.statements(NOVEMBER) == []


@begins("2027-01-03")
def test_all_of_them_are_computed_again(sandbox: Sandbox) -> Generator[str]:
    """By the two commands that do so."""
    assert sandbox.command("statement", "verify", "--all").exit_code == 0
    assert sandbox.command("doctor").exit_code == 0
    yield sandbox.day
