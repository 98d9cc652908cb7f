"""The pages of statements: one of them, the working of a line, its payment, the list, and months."""

import re
from datetime import date
from decimal import Decimal
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.api.conftest import AppClient
from tests.console.browsers import Browser
from tests.console.html_forms import form_of
from tests.statements.inserted import insert_statement_of
from tests.statements.months import APRIL, Sellers, sellers
from tests.usage.steps import at
from tonnage.access.actor import Actor, Role
from tonnage.keyset import write_cursor
from tonnage.price_books.assignment import Subject, SubjectKind

pytestmark = pytest.mark.anyio

_ROW = re.compile(r'<th scope="row"><a href="/statements/([^"]+)">([^<]+)</a>')
_TAG = re.compile(r"<[^>]+>")
_SPACE = re.compile(r"\s+")


@pytest.fixture
async def data(client: AppClient) -> Sellers:
    found = await sellers(client.cast)
    client.clock.now = APRIL
    for seller in (client.cast.operator, found.distributor, found.partner):
        await found.describe(seller)
    await found.price(found.distributor)
    return found


async def frozen(data: Sellers) -> UUID:
    """The statement of the partner."""
    await data.freeze(data.distributor)
    ((found,),) = await data.rows("id", data.distributor)
    return found


def text(page: Any) -> str:
    """What can be read in the main part of a page."""
    main = page.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return _SPACE.sub(" ", unescape(_TAG.sub(" ", main))).strip()


async def rows(browser: Browser, query: str = "") -> list[str]:
    """The names of the list's rows."""
    return [unescape(name) for _, name in _ROW.findall((await browser.get(f"/statements{query}")).text)]


async def test_a_statement_reads_like_the_paper(client: AppClient, data: Sellers) -> None:
    found = await frozen(data)
    ann, bob = await client.sign_in(data.distributor), await client.sign_in(data.partner)
    for reader in (ann, bob):
        page = await reader.get(f"/statements/{found}")
        shown = text(page)
        for part in (
            "Statement INV-2026-00001", "Frozen", "Pia, March 2026", "VAT id DE136695976",
            "Reserved capacity · 1 Mar 2026 – 31 Mar 2026 10,000 GB-months €0.009 / GB-month (€9.00 / TB) €90.00",
            "Excess · 1 Mar 2026 – 31 Mar 2026 1,000 GB-months €0.02 / GB-month (€20.00 / TB) €20.00",
            "Net €110.00", "VAT 19% (S) on €110.00 €20.90", "Total €130.90", "Due 17 Apr 2026",
        ):  # fmt: skip
            assert part in shown, part
        assert f'href="/statements/{found}/lines/2"' in page.text
        assert f'href="/statements/draft-{data.partner.organisation_id}-2026-02"' in page.text
        assert "Mark as paid" in shown if reader is ann else "Mark as paid" not in shown
    assert "Mark as paid" not in text(
        await (await client.sign_in(data.distributor, Role.STAFF)).get(f"/statements/{found}")
    )
    stranger = (await sellers(client.cast)).distributor
    for who in (client.cast.operator, stranger):
        other = await client.sign_in(who)
        for path in ("", "/lines/1", "/lines.csv", "/lines/1/working.csv", "/statement.pdf", "/payment"):
            assert (await other.get(f"/statements/{found}{path}")).status_code == 404, path


@pytest.mark.parametrize(
    "path", ["x", "draft-x-2026-03", "{id}/lines/0", "{id}/lines/3", "{id}/lines/x", "months/2026-13"]
)
async def test_pages_that_there_are_not(client: AppClient, data: Sellers, path: str) -> None:
    ann = await client.sign_in(data.distributor)
    assert (await ann.get(f"/statements/{path.format(id=await frozen(data))}")).status_code == 404


async def test_files_are_those_of_the_api(client: AppClient, data: Sellers) -> None:
    found = await frozen(data)
    ann, key = await client.sign_in(data.partner), await client.key(data.partner)
    files = {"lines.csv": ".csv", "lines/2/working.csv": "/lines/2/working.csv", "statement.pdf": ".pdf"}
    for page, operation in files.items():
        file = await ann.get(f"/statements/{found}/{page}")
        same = await client.call("GET", f"/ext/v1/statements/{found}{operation}", key)
        assert file.content == same.content
        assert file.headers["content-disposition"].startswith('attachment; filename="statement-')
    query = "select count(*) from audit_entry where action = 'usage.export' or action like '%%export%%'"
    assert (await client.cast.row(query))[0] >= 2


async def test_the_working_of_a_line(client: AppClient, data: Sellers) -> None:
    found = await frozen(data)
    ann = await client.sign_in(data.partner)
    shown = text(await ann.get(f"/statements/{found}/lines/2"))
    assert shown.count("11 TB 10 TB 1 TB €0.02 / GB-month") == 31
    assert shown.endswith("Line 2: 1,000 GB-months × €0.02 / GB-month €20.00")
    reserved = text(await ann.get(f"/statements/{found}/lines/1"))
    assert reserved.count("11 TB 10 TB 10 TB €0.009") == 31


async def test_many_lines_are_on_pages(client: AppClient, data: Sellers) -> None:
    """Each is on one page, and every page has the sums of all: 500 partners with 11 TB of 10 TB."""
    operator = client.cast.operator
    buyer = Subject(SubjectKind.CONTRACT, data.contract)
    found = await client.cast.database.run(insert_of_many, operator, buyer)
    ann = await client.sign_in(operator)
    seen: list[str] = []
    query: str | None = ""
    while query is not None:
        page = await ann.get(f"/statements/{found}{query}")
        seen += re.findall(r'<a href="/statements/[^"/]+/lines/(\d+)">', page.text)
        assert "Total €10,090.00" in text(page)
        assert len(page.content) < 100_000
        following = re.search(r'rel="next" href="/statements/[^?"]+(\?from=\d+)', page.text)
        query = following and following[1]
    assert seen == [str(number) for number in range(1, 502)]
    for odd in ("0", "999999999", "x", "-1", "١"):
        assert (await ann.get(f"/statements/{found}?from={odd}")).status_code == 200


async def insert_of_many(conn: Any, seller: Actor, buyer: Subject) -> UUID:
    return await insert_statement_of(conn, seller, buyer, UUID(str(buyer.id)), lines=500)


async def test_a_statement_is_paid_once(client: AppClient, data: Sellers) -> None:
    found = await frozen(data)
    path = f"/statements/{found}/payment"
    ann, eve = await client.sign_in(data.distributor), await client.sign_in(data.distributor, name="Eve")
    assert form_of((await ann.get(path)).text, path).shown["paid_on"] == "2026-04-03"
    wrong = await ann.send(path, {"paid_on": "2026-04-04", "reference": " "})
    assert wrong.status_code == 422
    assert set(form_of(wrong.text, path).errors) == {"reference-error"}
    wrong = await ann.send(path, {"paid_on": "2026-04-04", "reference": "x" * 201})
    assert set(form_of(wrong.text, path).errors) == {"paid_on-error", "reference-error"}
    late = await eve.form(path)
    done = await ann.send(path, {"paid_on": "2026-04-02", "reference": "Line <4>"})
    assert (done.status_code, done.headers["location"]) == (303, f"/statements/{found}")
    again = await eve.submit(path, {**late, "paid_on": "2026-04-01", "reference": "Other"})
    assert again.status_code == 409
    assert "paid already, on 2026-04-02 with the reference Line <4>" in text(again)
    for reader in (ann, await client.sign_in(data.partner)):
        assert "Paid 2 Apr 2026 Line <4>" in text(await reader.get(f"/statements/{found}"))
    assert "Mark as paid" not in text(await ann.get(f"/statements/{found}"))
    assert (await ann.get(path)).status_code == 303
    audit = await ann.get("/audit?action=statements.pay")
    assert f'href="/statements/{found}"' in audit.text
    assert "INV-2026-00001" in text(audit)
    of_all = (await (await client.sign_in(client.cast.operator)).get("/audit?action=statements.pay")).text
    assert "INV-2026-00001" in of_all
    assert f'href="/statements/{found}"' not in of_all


async def test_a_buyer_cannot_say_that_it_has_paid(client: AppClient, data: Sellers) -> None:
    path = f"/statements/{await frozen(data)}/payment"
    pia = await client.sign_in(data.partner)
    assert (await pia.get(path)).status_code == 404
    for fields in ({}, {"paid_on": "2026-04-02", "reference": "Mine"}):
        assert (await pia.post(path, fields)).status_code == 404


async def test_drafts_lead_from_month_to_month(client: AppClient, data: Sellers) -> None:
    """The draft of a month that is frozen is the frozen statement."""
    ann = await client.sign_in(data.distributor)
    partner = data.partner.organisation_id
    draft = await ann.get(f"/statements/draft-{partner}-2026-03")
    shown = text(draft)
    assert "Draft of March 2026" in shown
    assert "Net €110.00 VAT 19% (S) on €110.00 €20.90 Total €130.90" in shown
    assert f'href="/statements/draft-{partner}-2026-03/lines/1"' in draft.text
    assert f'href="/statements/draft-{partner}-2026-04"' in draft.text
    assert "2026-05" not in draft.text
    assert "PDF" not in shown
    assert text(await ann.get(f"/statements/draft-{partner}-2026-03/lines/2")).endswith("€20.00")
    assert (await ann.get(f"/statements/draft-{partner}-2026-03/lines.csv")).status_code == 200
    assert (await ann.get(f"/statements/draft-{partner}-2026-05")).status_code == 404
    found = await frozen(data)
    moved = await ann.get(f"/statements/draft-{partner}-2026-03")
    assert (moved.status_code, moved.headers["location"]) == (303, f"/statements/{found}")
    stranger = await client.sign_in((await sellers(client.cast)).distributor)
    assert (await stranger.get(f"/statements/draft-{partner}-2026-03")).status_code == 404


async def test_a_line_without_a_quantity(client: AppClient, data: Sellers) -> None:
    other = await sellers(client.cast)
    await other.price(other.distributor, discount_percent=Decimal(5))
    ann = await client.sign_in(other.distributor)
    path = f"/statements/draft-{other.partner.organisation_id}-2026-03"
    assert "Discount · 1 Mar 2026 – 31 Mar 2026 5% of €110.00 -€5.50 Total €104.50" in text(await ann.get(path))
    working = text(await ann.get(f"{path}/lines/3"))
    assert "Amount -€5.50" in working
    assert "Percentage 5% Sum of the lines before it €110.00" in working
    assert "Unit price" not in working
    assert len((await ann.get(f"{path}/lines/3/working.csv")).text.splitlines()) == 1 + 2 + 1 + 1


async def test_a_draft_of_nothing_says_why(client: AppClient, data: Sellers) -> None:
    """Without prices, and the buyer has no door to them."""
    cast, partner = client.cast, data.partner
    path = f"/statements/draft-{data.account}-2026-04"
    pia = await client.sign_in(partner)
    page = await pia.get(path)
    assert page.status_code == 200
    assert "no price book applied to it" in text(page)
    assert f'href="/partner/accounts/{data.account}/prices"' in page.text
    other = await sellers(cast)
    page = await (await client.sign_in(other.partner)).get(f"/statements/draft-{other.partner.organisation_id}-2026-04")
    assert "no price book applied to it" in text(page)
    assert "/prices" not in page.text.partition("<main")[2]


async def test_a_partner_never_sees_what_its_distributor_pays(client: AppClient, data: Sellers) -> None:
    await frozen(data)
    await data.freeze(client.cast.operator)
    bought, number = await client.cast.row("select id, number from statement where contract_id = %s", data.contract)
    pia, ann = await client.sign_in(data.partner), await client.sign_in(data.distributor)
    assert "€1,000.00" in text(await ann.get(f"/statements/{bought}"))
    for path in ("/statements", "/statements?role=seller", "/statements/months/2026-03", f"/statements?q={number}"):
        shown = text(await pia.get(path))
        assert "1,000" not in shown
        assert "1,190" not in shown
    assert (await pia.get(f"/statements/draft-{data.contract}-2026-03")).status_code == 404


async def test_the_list_of_each_side(client: AppClient, data: Sellers) -> None:
    found = await frozen(data)
    await data.freeze(client.cast.operator)
    ann, pia = await client.sign_in(data.distributor), await client.sign_in(data.partner)
    assert await rows(ann) == ["Pia"]
    assert len(await rows(ann, "?role=buyer")) == 1
    assert len(await rows(pia)) == 1
    assert await rows(pia, "?role=seller") == []
    assert "You charge nobody so far" in text(await pia.get("/statements?role=seller"))
    assert len(await rows(await client.sign_in(client.cast.operator), "?role=buyer&month=2026-03")) > 0
    for query, expected in {
        "?month=2026-03": 1, "?month=2026-02": 0, "?show=paid": 0, "?show=unpaid": 1, "?show=frozen": 1,
        "?show=overdue": 0, "?q=INV-2026-00001": 1, "?q=INV-2026-0000": 0, f"?buyer={data.partner.organisation_id}": 1,
        f"?buyer={data.contract}": 0, f"?buyer={data.account}": 0, "?month=x&show=x&buyer=x&role=x&q=%00": 1,
    }.items():  # fmt: skip
        assert len(await rows(ann, query)) == expected, query
    for day, overdue, due in (("2026-04-17", [], ["Pia"]), ("2026-04-18", ["Pia"], [])):
        client.clock.now = at(day)
        late = await client.sign_in(data.distributor, name=day)
        assert (await rows(late, "?show=overdue"), await rows(late, "?show=frozen")) == (overdue, due)
    client.clock.now = APRIL
    await ann.send(f"/statements/{found}/payment", {"paid_on": "2026-04-02", "reference": "x"})
    assert (await rows(ann, "?show=paid"), await rows(ann, "?show=unpaid")) == (["Pia"], [])
    file = (await ann.get("/statements.csv?show=paid")).text.splitlines()
    assert len(file) == 2
    assert "Pia,INV-2026-00001,2026-03,110.00,130.90,EUR" in file[1]


async def test_a_reader_who_follows_the_pages_sees_every_statement_once(client: AppClient, data: Sellers) -> None:
    """The newest month first, in it the buyers by name; the same backwards; and with statements that come meanwhile."""
    seller = data.distributor
    names = [f"Buyer {number // 3:03}" for number in range(60)]
    months = [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1)]
    for number, name in enumerate(names):
        await client.cast.database.run(insert_named, seller, name, months[number % 3], data.contract)
    ann = await client.sign_in(seller)
    first, last = [(await ann.get(f"/statements{query}")).text for query in ("", "?page=last")]
    steps = re.compile('rel="(first|prev|next|last)"')
    assert (steps.findall(first), steps.findall(last)) == (["next", "last"], ["first", "prev"])
    forward = await walk(ann, "", "next")
    assert len(forward) == len(set(forward)) == 60
    found = await data.rows("id::text, month, buyer_key", seller)
    right = [str(row[0]) for row in sorted(found, key=lambda row: (-row[1].toordinal(), row[2], UUID(row[0]).hex))]
    assert forward == right
    await client.cast.database.run(insert_named, seller, "Aaron", months[2], data.contract)
    backward = await walk(ann, "?page=last", "prev")
    assert backward[-60:] == right
    assert len(backward) == 61
    for key in (("2026-01-01", "", str(UUID(int=0))), ("9999-12-31", "\uffff", str(UUID(int=1)))):
        for name in ("after", "before"):
            assert len(await rows(ann, f"?{name}={write_cursor(key)}")) == 50
    assert len(await rows(ann, f"?after={write_cursor(('x', '', ''))}")) == 50


async def walk(browser: Browser, query: str, rel: str) -> list[str]:
    """The ids of all rows, in the order of the list."""
    pages: list[list[str]] = []
    following: str | None = query
    while following is not None:
        page = await browser.get(f"/statements{following}")
        pages.append([found for found, _ in _ROW.findall(page.text)])
        link = re.search(rf'rel="{rel}" href="/statements([^"]+)"', page.text)
        following = unescape(link[1]) if link else None
    ordered = pages if rel == "next" else pages[::-1]
    return [one for shown in ordered for one in shown]


async def insert_named(conn: Any, seller: Actor, name: str, first: date, contract: UUID) -> UUID:
    buyer = Subject(SubjectKind.PARTNER, uuid4())
    return await insert_statement_of(conn, seller, buyer, contract, first, name=name)


async def test_every_figure_of_a_month_is_a_door(client: AppClient, data: Sellers) -> None:
    ann = await client.sign_in(data.distributor)
    over = await ann.get("/statements/months/2026-03")
    assert "Over Its statements are frozen on 3 Apr 2026" in text(over) or "No statement is frozen" in text(over)
    found = await frozen(data)
    await data.freeze(client.cast.operator)
    await ann.send(f"/statements/{found}/payment", {"paid_on": "2026-04-02", "reference": "x"})
    page = await ann.get("/statements/months/2026-03")
    shown = text(page)
    assert "1 €110.00 €130.90 €130.90 €0.00" in shown
    assert "1 €1,000.00 €1,190.00 €0.00 €1,190.00" in shown
    assert "Margin -€890.00" in shown
    for link in re.findall(r'href="/statements(\?[^"]+)"', page.text.partition("<main")[2]):
        assert (await ann.get(f"/statements{unescape(link)}")).status_code == 200
    for query, count in {"role=seller&month=2026-03&show=paid": 1, "role=seller&month=2026-03&show=unpaid": 0,
                         "role=buyer&month=2026-03&show=unpaid": 1}.items():  # fmt: skip
        figure = "€1,190.00" if "buyer" in query else "€130.90" if "=paid" in query else "€0.00"
        link = f'href="/statements?{query}"><span title="{figure}">{figure}<'
        assert link.replace("&", "&amp;") in page.text
        assert len(await rows(ann, f"?{query}")) == count


async def test_months_that_are_open_or_to_come(client: AppClient, data: Sellers) -> None:
    ann = await client.sign_in(data.distributor)
    page = await ann.get("/statements/months/2026-04")
    assert "Open Its statements are frozen on 3 May 2026." in text(page)
    assert "/freeze" not in page.text
    assert "2026-05" not in page.text
    assert (await ann.get("/statements/months/2026-05")).status_code == 404
    question = await ann.get("/statements/months/2026-04/freeze")
    assert "The month 2026-04 is not over. It can be frozen from 2026-05-01 on." in text(question)
    assert "Freeze statements" not in text(question)
    refused = await ann.post("/statements/months/2026-04/freeze")
    assert refused.status_code == 409
    assert "is not over" in text(refused)


async def test_a_month_is_frozen_and_what_blocks_it_is_mended(client: AppClient, data: Sellers) -> None:
    quinn = await data.another("Quinn <1>", 10)
    client.clock.now = data.cast.now
    ann = await client.sign_in(data.distributor)
    path = "/statements/months/2026-03"
    for role, status in ((Role.STAFF, 403), (Role.VIEWER, 403)):
        assert (await (await client.sign_in(data.distributor, role)).get(f"{path}/freeze")).status_code == status
    question = text(await ann.get(f"{path}/freeze"))
    assert "gets its number and never changes again" in question
    done = await ann.send(f"{path}/freeze")
    assert (done.status_code, done.headers["location"]) == (303, path)
    page = await ann.get(path)
    shown = text(page)
    assert "1 statement frozen, 1 buyer is blocked" in shown
    assert "The buyer's billing profile has no name and address. Quinn <1>" in shown
    mend = f"/distributor/partners/{quinn.organisation_id}/billing-profile"
    assert f'href="{mend}"' in page.text
    assert (await ann.get(mend)).status_code == 200
    await data.describe(quinn)
    assert "1 statement is frozen already and stays as it is." in text(await ann.get(f"{path}/freeze"))
    await ann.send(f"{path}/freeze")
    assert await rows(ann) == ["Pia", "Quinn <1>"]
    assert "Blocked" not in text(await ann.get(path)).replace("Blocked sign-ins", "")
    await ann.send(f"{path}/freeze")
    assert "Nothing was left to freeze" in text(await ann.get(path))
    assert f'href="{path}"' in (await ann.get("/audit?action=statements.freeze")).text


async def test_a_seller_without_a_profile_mends_it_once(client: AppClient, data: Sellers) -> None:
    """Of many buyers the first ones are shown."""
    other = await sellers(client.cast)
    await other.price(other.distributor)
    for number in range(21):
        await other.another(f"Partner {number:02}", 10)
    client.clock.now = other.cast.now
    ann = await client.sign_in(other.distributor)
    await ann.send("/statements/months/2026-03/freeze")
    page = await ann.get("/statements/months/2026-03")
    shown = text(page)
    assert "Your billing profile has no name and address. 22 buyers. Your billing profile" in shown
    assert "And 2 more." in shown
    assert 'href="/billing-profile"' in page.text.partition("<main")[2]


async def test_a_number_that_is_taken_is_refused_in_words(client: AppClient, data: Sellers) -> None:
    await data.number(data.distributor, number_format="A{number}")
    quinn = await data.another("Quinn", 10)
    await data.freeze(data.distributor)
    await data.describe(quinn)
    client.clock.now = data.cast.now
    await data.number(data.distributor, number_format="A{number:1}")
    path = "/statements/months/2026-03/freeze"
    ann = await client.sign_in(data.distributor)
    # What was computed stays, to be computed again.
    refused = await ann.http.post(path, data=await ann.form(path))
    assert refused.status_code == 409
    assert "Set another format" in text(refused)
    await data.number(data.distributor, number_format="B{number}")
    assert (await ann.send(path)).status_code == 303


async def test_doors_to_statements(client: AppClient, data: Sellers) -> None:
    """From the pages of buyers, and from where one pays."""
    partner, operator = data.partner.organisation_id, client.cast.operator
    pages = {
        (operator, f"/operator/contracts/{data.contract}"): (data.contract, "seller"),
        (data.distributor, f"/distributor/partners/{partner}"): (partner, "seller"),
        (data.distributor, f"/distributor/partners?contract={data.contract}"): (data.contract, "buyer"),
        (data.distributor, "/distributor/prices"): (data.contract, "buyer"),
        (data.partner, f"/partner/accounts/{data.account}"): (data.account, "seller"),
        (data.partner, "/partner/usage"): (partner, "buyer"),
    }
    for (who, path), (buyer, role) in pages.items():
        browser = await client.sign_in(who)
        page = (await browser.get(path)).text
        for door in (f"/statements/draft-{buyer}-2026-04", f"/statements?role={role}&amp;buyer={buyer}"):
            assert f'href="{door}"' in page, (path, door)
            assert (await browser.get(unescape(door))).status_code == 200, door
    bought = await (await client.sign_in(data.distributor)).get("/statements?role=buyer")
    assert f'href="/statements/draft-{data.contract}-2026-04"' in bought.text
