"""One range of days rules every figure of a page: use, its comparison with the days before, and the fee of a month."""

from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from tests.api.conftest import AppClient
from tests.cast import TB
from tests.console.browsers import Browser
from tests.console.test_fees import marked
from tests.statements.inserted import insert_statement_of
from tests.statements.months import Sellers
from tests.usage.steps import at, record
from tonnage.access.actor import Role
from tonnage.console.date_range import read_range
from tonnage.partners.actions import update_partner
from tonnage.partners.partner import PartnerChange
from tonnage.price_books.assignment import Subject, SubjectKind

pytestmark = pytest.mark.anyio

TODAY = date(2026, 3, 15)


@pytest.fixture
async def data(client: AppClient) -> Sellers:
    """2 TB since 1 December, 3 TB since 1 February, of 4 TB, and of 8 TB since March; now 5 TB."""
    cast, now = client.cast, client.clock.now
    cast.now = at("2025-12-01")
    await cast.region()
    distributor = await cast.distributor()
    contract = await cast.contract(distributor)
    partner = await cast.partner(distributor, contract, 4 * TB, overdraft=True)
    found = Sellers(cast, distributor, contract, partner, await cast.account(partner, 4 * TB, overdraft=True))
    samples = ((at("2025-12-01"), 2), (at("2026-02-01"), 3), (at("2026-03-10"), 5))
    await record(cast, *((found.account, moment, size * TB) for moment, size in samples), now=now)
    change = PartnerChange(None, 8 * TB, None)
    await cast.database.run(update_partner, distributor, partner.organisation_id, change, at("2026-03-01"))
    cast.now = now
    return found


async def store(data: Sellers, month: date, net: str) -> None:
    await data.cast.row(
        """
        insert into month_net (month, seller_id, partner_id, currency, net, computed_at)
        values (%s, %s, %s, 'EUR', %s, %s) returning month
        """,
        *(month, data.distributor.organisation_id, data.partner.organisation_id, net, data.cast.now),
    )


async def pages_of(client: AppClient, data: Sellers) -> dict[str, Browser]:
    """The pages of a partner's use, of its distributor and of itself."""
    distributor = await client.sign_in(data.distributor, Role.VIEWER)
    partner = await client.sign_in(data.partner, Role.VIEWER)
    return {f"/distributor/partners/{data.partner.organisation_id}": distributor, "/partner/usage": partner}


async def test_figures_of_days_that_are_over_are_of_these_days(client: AppClient, data: Sellers) -> None:
    pages = await pages_of(client, data)
    pages[f"/operator/partners/{data.partner.organisation_id}"] = await client.sign_in(client.cast.operator)
    account = f"/partner/accounts/{data.account}"
    pages[account] = pages["/partner/usage"]
    for path, browser in pages.items():
        page = (await browser.get(f"{path}?month=2026-02")).text
        assert "Used on <time" in page, path
        assert "Used now" not in page, path
        assert f'<span title="{3 * TB:,} bytes">' in page, path
        assert "50% more than in the 28 days before" in page, path
        for size in (5, 8):  # what is used and allocated now
            assert f'title="{size * TB:,} bytes"' not in page.split("<h2>Details")[0], (path, size)
        now = (await browser.get(path)).text
        assert "Used now" in now, path
        assert f'title="{5 * TB:,} bytes"' in now, path


async def test_a_comparison_is_with_as_many_days_before(client: AppClient, data: Sellers) -> None:
    for path, browser in (await pages_of(client, data)).items():
        for days, text in {
            "from=2026-02-01&to=2026-02-01": "50% more than on the day before",
            "from=2026-01-30&to=2026-02-02": "25% more than in the 4 days before",
            "from=2026-02-10&to=2026-02-12": "The same as in the 3 days before",
        }.items():
            assert text in (await browser.get(f"{path}?{days}")).text, (path, days)
        # Not with days on which there was no partner yet.
        page = (await browser.get(f"{path}?from=2025-12-01&to=2025-12-31")).text
        assert "days before" not in page, path


async def test_a_month_has_its_fee(client: AppClient, data: Sellers) -> None:
    """The running month and the last one as it is stored, older ones as they were frozen."""
    assert client.clock.now.date() == TODAY
    await store(data, date(2026, 3, 1), "33.33")
    await store(data, date(2026, 2, 1), "22.22")
    partner = Subject(SubjectKind.PARTNER, data.partner.organisation_id)
    statement = await client.cast.database.run(
        insert_statement_of, data.distributor, partner, data.contract, date(2026, 1, 1)
    )
    number, net = await client.cast.row("select number, net from statement where id = %s", statement)
    draft = f"/statements/draft-{partner.id}"
    expected: dict[str, tuple[str, list[str]]] = {
        "from=2026-03-01&to=2026-03-15": (marked("33.33"), ["so far", f'href="{draft}-2026-03"']),
        "from=2026-03-01&to=2026-03-31": (marked("33.33"), ["so far"]),
        "month=2026-02": (marked("22.22"), [f'href="{draft}-2026-02"']),
        "from=2026-02-01&to=2026-02-28": (marked("22.22"), []),
        "from=2026-01-01&to=2026-01-31": (marked(str(net)), [f'href="/statements/{statement}"', f"Statement {number}"]),
        "month=2025-12": ("No statement of December 2025", []),
    }
    fees = {fee for fee, _ in expected.values()}
    for path, browser in (await pages_of(client, data)).items():
        for days, (fee, more) in expected.items():
            page = (await browser.get(f"{path}?{days}")).text
            before = f'<dd class="note">Month before: {marked("22.22")}</dd>'
            assert (before in page) is ("2026-03" in days), (path, days)
            assert [one for one in fees if one in page.replace(before, "")] == [fee], (path, days)
            for text in more:
                assert text in page, (path, days, text)
        for days in (
            "",
            "from=2026-02-01&to=2026-02-27",
            "from=2026-01-02&to=2026-02-28",
            "from=2026-03-01&to=2026-03-14",
        ):
            page = (await browser.get(f"{path}?{days}")).text
            assert [one for one in fees if one in page] == [], (path, days)
            assert "Fees are those of whole months:" in page, (path, days)
            assert f'href="{path}?from=2026-02-01&amp;to=2026-02-28">February 2026</a>' in page


async def test_whole_months_have_the_sum_of_their_fees(client: AppClient, data: Sellers) -> None:
    """What is stored of the running month, and of the last one until it is frozen; older ones as they were frozen."""
    await store(data, date(2026, 3, 1), "33.33")
    await store(data, date(2026, 2, 1), "22.22")
    partner = Subject(SubjectKind.PARTNER, data.partner.organisation_id)

    async def freeze(month: date) -> Decimal:
        statement = await client.cast.database.run(insert_statement_of, data.distributor, partner, data.contract, month)
        (net,) = await client.cast.row("select net from statement where id = %s", statement)
        return net

    january = await freeze(date(2026, 1, 1))
    pages = await pages_of(client, data)

    async def check(expected: dict[str, tuple[str, str]]) -> None:
        for path, browser in pages.items():
            role = "buyer" if path == "/partner/usage" else "seller"
            for days, (fee, note) in expected.items():
                page = (await browser.get(f"{path}?{days}")).text
                tile = page.partition(f'<a href="/statements?role={role}&amp;buyer={partner.id}">')[2]
                tile = tile.partition("</div>")[0].partition("<dd")[2]
                assert f'class="value">{fee}</dd>' in tile, (path, days, tile)
                assert note in tile, (path, days, tile)

    await check(
        {
            "from=2026-01-01&to=2026-02-28": (marked(str(january + Decimal("22.22"))), "January 2026 to February 2026"),
            "from=2026-02-01&to=2026-03-15": (marked("55.55"), "February 2026 to March 2026"),
            "from=2026-01-01&to=2026-03-31": (marked(str(january + Decimal("55.55"))), "January 2026 to March 2026"),
            "from=2025-11-01&to=2026-02-28": (
                marked(str(january + Decimal("22.22"))), "2 of 4 months: the others have no statement",
            ),
            "from=2025-11-01&to=2025-12-31": ("–", "0 of 2 months"),
        }
    )  # fmt: skip
    february = await freeze(date(2026, 2, 1))
    assert february != Decimal("22.22")
    both = marked(str(january + february))
    await check({"from=2026-01-01&to=2026-02-28": (both, "January 2026 to February 2026")})
    # The operator, who is no seller of the partner, sees its part of the contract's statements.
    contract = Subject(SubjectKind.CONTRACT, data.contract)
    parts: list[Decimal] = []
    for month in (date(2025, 11, 1), date(2025, 12, 1)):
        statement = await client.cast.database.run(
            insert_statement_of,
            client.cast.operator,
            contract,
            data.contract,
            month,
            lines=2,
            partner=data.partner.organisation_id,
        )
        sum_of = "select sum(amount) from statement_line where statement_id = %s and subject_id = %s"
        parts += await client.cast.row(sum_of, statement, partner.id)
    operator = await client.sign_in(client.cast.operator, Role.VIEWER)
    path = f"/operator/partners/{partner.id}"
    page = (await operator.get(f"{path}?from=2025-11-01&to=2025-12-31")).text
    assert marked(str(sum(parts))) in page
    assert "November 2025 to December 2025" in page
    assert "2 of 3 months" in (await operator.get(f"{path}?from=2025-10-01&to=2025-12-31")).text
    for fee in ("22.22", "33.33", str(january), str(february)):
        assert marked(fee) not in page


async def test_the_operator_sees_a_partners_part_of_a_frozen_statement(client: AppClient, data: Sellers) -> None:
    cast, partner = client.cast, data.partner.organisation_id
    operator = await client.sign_in(cast.operator, Role.VIEWER)
    path = f"/operator/partners/{partner}"
    assert "Its part of the statement" not in (await operator.get(path)).text
    assert marked("0.00") in (await operator.get(f"{path}?month=2026-01")).text  # as it is known now
    contract = Subject(SubjectKind.CONTRACT, data.contract)
    statement = await cast.database.run(
        insert_statement_of, cast.operator, contract, data.contract, date(2026, 1, 1), lines=2, partner=partner
    )
    (part, net) = await cast.row(
        """
        select sum(l.amount), s.net from statement_line l join statement s on s.id = l.statement_id
        where s.id = %s and l.subject_id = %s group by s.net
        """,
        *(statement, partner),
    )
    assert 0 < part < net
    assert marked(str(part)) in (await operator.get(f"{path}?month=2026-01")).text


@pytest.mark.parametrize(
    ("query", "month"),
    [
        ("from=2026-02-01&to=2026-02-28", date(2026, 2, 1)),
        ("from=2026-03-01&to=2026-03-15", date(2026, 3, 1)),
        ("from=2026-03-01&to=2026-03-31", date(2026, 3, 1)),
        ("month=2026-03", date(2026, 3, 1)),
        ("month=2025-12", date(2025, 12, 1)),
        ("from=2026-03-01&to=2026-03-14", None),
        ("from=2026-03-01&to=2026-04-01", None),
        ("from=2026-02-01&to=2026-03-15", None),
        ("from=2026-04-01&to=2026-04-30", None),
        ("month=2026-04", None),
        ("from=2026-03-02&month=2026-02", None),
        ("", None),
    ],
)
def test_which_ranges_are_months(query: str, month: date | None) -> None:
    assert read_range(dict(parse_qsl(query)), TODAY).month == month


@pytest.mark.parametrize(
    ("query", "months"),
    [
        ("from=2026-02-01&to=2026-03-15", 2),
        ("from=2026-02-01&to=2026-03-31", 2),
        ("from=2025-12-01&to=2026-02-28", 3),
        ("from=2025-12-01&to=2026-12-31", 0),
        ("from=2026-02-01&to=2026-04-30", 0),
        ("from=2026-02-01&to=2026-03-14", 0),
        ("from=2026-01-02&to=2026-02-28", 0),
        ("from=2026-01-01&to=2026-02-27", 0),
    ],
)
def test_which_ranges_are_several_months(query: str, months: int) -> None:
    found = read_range(dict(parse_qsl(query)), TODAY).whole_months
    assert len(found) == months
    assert [month for month in found if month.day != 1] == []


def test_the_days_before_are_as_many() -> None:
    for query, days in (({"month": "2026-03"}, 15), ({"month": "2026-02"}, 28), ({}, 30)):
        found = read_range(query, TODAY)
        before = found.before
        assert before
        assert found.days == days == (before.last - before.first).days + 1
        assert before.last + timedelta(days=1) == found.period.first
    assert read_range({"from": "2026-04-01", "to": "2026-04-02"}, TODAY).before is None
    assert read_range({"from": "0001-01-01", "to": "0001-01-02"}, TODAY).before is None
    assert read_range({"from": "2026-03-01", "to": "2026-04-02"}, TODAY).days == 15


def test_one_range_is_marked_as_chosen() -> None:
    """Also on the 30th of a month, when this month is the last 30 days."""
    for today in (TODAY, date(2026, 11, 30)):
        chosen = [preset.label for preset in read_range({}, today).presets if preset.chosen]
        assert chosen == ["30 days"]
