"""The pages of adjustments: lists for both sides, one with its lines before and after, the form, and a month's sums."""

import re
from html import unescape
from typing import Any
from uuid import uuid4

import pytest

from tests.api.conftest import AppClient
from tests.api.wire import Wire
from tests.cast import TB
from tests.console.browsers import Browser
from tests.console.html_forms import form_of
from tests.console.test_statement_counts import ALWAYS
from tests.console.test_statements import data, frozen, text
from tests.statements.months import Sellers, sellers
from tests.usage.steps import at, record
from tonnage.access.actor import Role
from tonnage.console.statements.comparison import Pair, pairs
from tonnage.keyset import write_cursor

__all__ = ["data"]

_PATH = "/statements/adjustments"
_ROW = re.compile(rf'<th scope="row"><a href="{_PATH}/([^"]+)">([^<]+)</a><span class="sub">([^<]*)</span>')
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_NEW = f"{_PATH}/new"
_MOST = 4
"""Statements of a page, without the one that finds the session."""


async def rows(browser: Browser, query: str = "") -> list[tuple[str, str]]:
    """The names and causes of the list's rows."""
    page = await browser.get(f"{_PATH}{query}")
    assert page.status_code == 200
    return [(unescape(name), unescape(cause)) for _, name, cause in _ROW.findall(page.text)]


async def form_for(browser: Browser, buyer: object) -> dict[str, str]:
    """What the form of a buyer sends without being asked."""
    page = await browser.get(f"{_NEW}?buyer={buyer}")
    return {name: unescape(value) for name, value in _HIDDEN.findall(page.text.partition("<main")[2])}


async def adjusted(browser: Browser, buyer: object, amount: str = "-5.00", reason: str = "Outage") -> str:
    """The path of an adjustment that is made by the form."""
    done = await browser.submit(_NEW, {**await form_for(browser, buyer), "amount": amount, "reason": reason})
    assert done.status_code == 303, text(done)
    return done.headers["location"]


async def corrected(client: AppClient, data: Sellers) -> str:
    """The path of the adjustment of March, which costs 10.00 more since it was frozen."""
    await frozen(data)
    await data.reprice(data.distributor, reserved="0.9", excess="3")
    await data.freeze(data.distributor)
    (found,) = await client.cast.row(
        "select id from adjustment where partner_id = %s and month is not null", data.partner.organisation_id
    )
    return f"{_PATH}/{found}"


@pytest.mark.anyio
async def test_goodwill_is_made_by_the_form_and_seen_by_both(client: AppClient, data: Sellers) -> None:
    ann, pia = await client.sign_in(data.distributor), await client.sign_in(data.partner)
    buyer = data.partner.organisation_id
    draft = f"/statements/draft-{buyer}-2026-03"
    for door in (draft, f"/statements/draft-{buyer}-2026-04"):
        assert f'href="{_NEW}?buyer={buyer}"' in (await ann.get(door)).text
        assert "Adjust next statement" not in text(await pia.get(door))
    assert "EUR, before taxes." in text(await ann.get(f"{_NEW}?buyer={buyer}"))
    path = await adjusted(ann, buyer, "-5,25", "Outage <b>")
    assert "Adjustment made" in text(await ann.get(path))
    for reader, name in ((ann, "Pia"), (pia, None)):
        page = await reader.get(path)
        for part in ("Reason Outage <b>", "Amount -€5.25 Before taxes", "For the next statement -€5.25",
                     "No statement yet", "Buyer Pia"):  # fmt: skip
            assert part in text(page), part
        assert "Changed lines" not in text(page)
        ((shown, cause),) = await rows(reader)
        assert (shown if name else None, cause) == (name, "Outage <b>")
        assert "-€5.25 -€5.25" in text(await reader.get(_PATH))
    assert "-€5.25 Net €104.75 VAT 19% (S) on €104.75 €19.90 Total €124.65" in text(await ann.get(draft))
    assert f'href="{path}"' in (await ann.get(f"{draft}/lines/3")).text
    statement = await frozen(data)
    assert f'href="/statements/{statement}">INV-2026-00001</a>' in (await pia.get(path)).text
    assert f'href="{_NEW}?buyer={buyer}"' in (await ann.get(f"/statements/{statement}")).text
    assert "For the next statement €0.00" in text(await ann.get(path))
    assert await rows(ann, "?show=open") == []
    assert f'href="{path}"' in (await ann.get("/audit?action=statements.adjust")).text


@pytest.mark.anyio
async def test_a_form_that_is_sent_twice_makes_one(client: AppClient, data: Sellers) -> None:
    ann = await client.sign_in(data.distributor)
    fields = {**await form_for(ann, data.partner.organisation_id), "amount": "-5", "reason": "Outage"}
    done = [await ann.http.post(_NEW, data=fields) for _ in range(2)]
    assert [one.status_code for one in done] == [303, 303]
    assert done[0].headers["location"] == done[1].headers["location"]
    assert len(await rows(ann)) == 1


@pytest.mark.anyio
async def test_what_is_wrong_stands_beside_its_field(client: AppClient, data: Sellers) -> None:
    ann, buyer = await client.sign_in(data.distributor), data.partner.organisation_id
    new = _NEW
    for fields, wrong in [
        ({"amount": "0", "reason": " "}, {"reason"}),
        ({"amount": "0", "reason": "x" * 201}, {"amount", "reason"}),
        ({"amount": "-1.001", "reason": "Outage"}, {"amount"}),
        ({"amount": "five", "reason": "Outage"}, {"amount"}),
        ({"amount": "--5", "reason": "Outage"}, {"amount"}),
        ({"amount": "-5", "reason": "a\u202eb"}, {"reason"}),
    ]:
        refused = await ann.post(new, {"buyer": str(buyer), **fields})
        assert refused.status_code == 422
        form = form_of(refused.text, new)
        assert set(form.errors) == {f"{name}-error" for name in wrong}
        assert form.shown["amount"] == fields["amount"]
        assert f'name="buyer" value="{buyer}"' in refused.text
    assert await rows(ann) == []


@pytest.mark.anyio
async def test_a_buyer_without_prices_needs_a_currency(client: AppClient, data: Sellers) -> None:
    pia, new = await client.sign_in(data.partner), _NEW
    assert f'href="{new}?buyer={data.account}"' in (await pia.get(f"/statements/draft-{data.account}-2026-04")).text
    fields = {"buyer": str(data.account), "amount": "-5", "reason": "Slow"}
    assert set(form_of((await pia.post(new, fields)).text, new).errors) == {"currency-error"}
    done = await pia.post(new, {**fields, "currency": "usd"})
    assert "-US$5.00" in text(await pia.get(done.headers["location"]))
    assert [cause for _, cause in await rows(pia, "?role=seller")] == ["Slow"]
    assert await rows(pia) == []


@pytest.mark.anyio
async def test_a_correction_shows_what_has_changed(client: AppClient, data: Sellers) -> None:
    """20.00 of excess are 30.00 now; the reserved capacity is as before."""
    path = await corrected(client, data)
    ann, pia = await client.sign_in(data.distributor), await client.sign_in(data.partner)
    ((statement,), *_) = await data.rows("id", data.distributor)
    for reader in (ann, pia):
        async with Wire.traced(client) as wire:
            page = await reader.get(path)
        assert len(wire.statements) - ALWAYS <= _MOST
        shown = text(page)
        for part in (
            "Correction of March 2026",
            "Pia Excess · 1 Mar 2026 – 31 Mar 2026 €20.00 1,000 GB-months €0.02 / GB-month €30.00 1,000 GB-months",
            "€0.03 / GB-month €10.00",
            "1 line without a change €90.00 €90.00 –",
            "Net €110.00 €120.00 €10.00",
        ):
            assert part in shown, part
        assert "credit notes" not in shown
        for link in (f"/statements/{statement}", "/statements/months/2026-03"):
            assert f'href="{link}"' in page.text
    assert await rows(ann) == [("Pia", "Correction of March 2026")]
    assert [cause for _, cause in await rows(pia)] == ["Correction of March 2026"]
    file = (await ann.get(f"{_PATH}.csv?month=2026-03")).text.splitlines()
    assert len(file) == 2
    assert file[1].startswith("Pia,2026-03,,2026-04-03,10.00,10.00,EUR,")


@pytest.mark.anyio
async def test_a_correction_of_what_is_credited(client: AppClient, data: Sellers) -> None:
    """95.00 of 110.00 are taken back already: of 90.00 less, 15.00 are left to be charged less."""
    found = await frozen(data)
    ann = await client.sign_in(data.distributor)
    for number, amount in ((1, "90"), (2, "5")):
        await ann.send(f"/statements/{found}/lines/{number}/credit-note", {"amount": amount, "reason": "Outage"})
    await data.reprice(data.distributor, reserved="0", excess="2")
    await data.freeze(data.distributor)
    ((path, _, _),) = _ROW.findall((await ann.get(_PATH)).text)
    shown = text(await ann.get(f"{_PATH}/{path}"))
    assert "Amount -€15.00" in shown
    assert "-€90.00 Credit notes have taken back a part of the difference already" in shown


@pytest.mark.anyio
async def test_many_lines_are_on_pages(client: AppClient, data: Sellers) -> None:
    """Of a contract with 101 partners more, of which each stores a TB more from the 20th on."""
    operator = client.cast.operator
    accounts: list[int] = []
    for number in range(101):
        partner = await data.another(f"Partner {number:03}")
        accounts += await client.cast.row(
            "select id from storage_account where partner_id = %s", partner.organisation_id
        )
    await data.freeze(operator)
    await record(client.cast, *((account, at("2026-03-20"), 2 * TB) for account in accounts), now=client.cast.now)
    await data.freeze(operator)
    (found,) = await client.cast.row("select id from adjustment where contract_id = %s", data.contract)
    client.clock.now = client.cast.now
    ann = await client.sign_in(operator)
    first = await ann.get(f"{_PATH}/{found}")
    link = re.search(rf'rel="next" href="{_PATH}/{found}(\?from=101)#lines"', first.text)
    assert link
    second = await ann.get(f"{_PATH}/{found}{link[1]}")
    assert [text(page).count("Pay-per-use ·") for page in (first, second)] == [100, 1]
    sums = [re.findall(r"line without a change .* Net (\S+ \S+ \S+)", text(page)) for page in (first, second)]
    assert sums[0] == sums[1] != []


@pytest.mark.anyio
async def test_only_both_sides_see_it_and_only_the_seller_makes_it(client: AppClient, data: Sellers) -> None:
    """The operator sees nothing of what a distributor corrects, a partner nothing of what the operator does."""
    path, new, buyer = await corrected(client, data), _NEW, data.partner.organisation_id
    other = await sellers(client.cast)
    for who in (client.cast.operator, other.distributor, other.partner):
        stranger = await client.sign_in(who)
        assert (await stranger.get(path)).status_code == 404
        assert f'href="{path}"' not in (await stranger.get(f"{_PATH}?month=2026-03&buyer={buyer}")).text
        assert "Correction of March" not in (await stranger.get(f"{_PATH}.csv?buyer={buyer}")).text
    fields = {"amount": "-5", "currency": "EUR", "reason": "Mine"}
    for who in (data.partner, other.distributor, client.cast.operator):
        admin = await client.sign_in(who)
        assert (await admin.get(f"{new}?buyer={buyer}")).status_code == 404
        assert (await admin.post(new, {"buyer": str(buyer), **fields})).status_code == 404
    for role in (Role.STAFF, Role.VIEWER):
        reader = await client.sign_in(data.distributor, role, name=role)
        assert (await reader.get(path)).status_code == 200
        assert (await reader.get(f"{new}?buyer={buyer}")).status_code == 403
        assert (await reader.post(new, {"buyer": str(buyer), **fields})).status_code == 403
        assert f"{new}?buyer" not in (await reader.get(f"/statements/draft-{buyer}-2026-04")).text
    ann = await client.sign_in(data.distributor)
    for odd in (new, f"{new}?buyer="):
        assert (await ann.get(odd)).headers["location"] == _PATH
    for odd in (f"{new}?buyer=x", f"{new}?buyer={uuid4()}", f"{_PATH}/x", f"{_PATH}/{uuid4()}"):
        assert (await ann.get(odd)).status_code == 404, odd

    bought = await adjusted(await client.sign_in(client.cast.operator), data.contract, "-77.00", "Purchase")
    pia = await client.sign_in(data.partner)
    assert (await pia.get(bought)).status_code == 404
    for query in ("", "?role=seller", f"?buyer={data.contract}", "?show=open"):
        assert "77.00" not in text(await pia.get(f"{_PATH}{query}"))
    assert [cause for _, cause in await rows(ann, "?role=buyer")] == ["Purchase"]
    assert (await ann.get(bought)).status_code == 200
    assert [cause for _, cause in await rows(ann)] == ["Correction of March 2026"]


@pytest.mark.anyio
async def test_filters(client: AppClient, data: Sellers) -> None:
    await corrected(client, data)
    ann, buyer = await client.sign_in(data.distributor), data.partner.organisation_id
    await adjusted(ann, buyer, "-1", "First")
    await adjusted(ann, buyer, "2", "Second")
    every = ["Second", "First", "Correction of March 2026"]
    for query, expected in {
        "": every, "?month=2026-03": every[2:], "?month=2026-02": [], "?show=open": every, f"?buyer={buyer}": every,
        f"?buyer={data.contract}": [], f"?buyer={data.account}": [], "?month=x&show=x&buyer=x&role=x&after=x": every,
        f"?month=2026-03&show=open&buyer={buyer}": every[2:], "?role=buyer": [],
    }.items():  # fmt: skip
        assert [cause for _, cause in await rows(ann, query)] == expected, query
    assert "Only adjustments of Pia." in text(await ann.get(f"{_PATH}?buyer={buyer}"))
    assert "No matching adjustments" in text(await ann.get(f"{_PATH}?month=2026-02"))
    assert '<option value="2026-03" selected>' in (await ann.get(f"{_PATH}?month=2026-03")).text
    assert f'href="{_PATH}"' in (await ann.get("/statements")).text
    assert f'href="{_PATH}?role=buyer"' in (await ann.get("/statements?role=buyer")).text
    bob = await client.sign_in((await sellers(client.cast)).distributor)
    assert "Adjust next statement" in text(await bob.get(_PATH))
    assert "What your seller adds" in text(await bob.get(f"{_PATH}?role=buyer"))


@pytest.mark.anyio
async def test_a_reader_who_follows_the_pages_sees_every_adjustment_once(client: AppClient, data: Sellers) -> None:
    """The newest first; the same backwards; and with one that comes meanwhile."""
    insert = """
        insert into adjustment (seller_id, partner_id, buyer_name, currency, amount, remaining, reason, created_at)
        select %s, %s, 'Buyer', 'EUR', 1, 1, n::text, %s from generate_series(1, %s) n returning id"""
    seller, now = data.distributor.organisation_id, client.clock.now
    await client.cast.row(insert, seller, uuid4(), now, 120)
    ann = await client.sign_in(data.distributor)
    right = [str(number) for number in range(120, 0, -1)]
    assert await walk(ann, "", "next") == right
    await client.cast.row(insert, seller, uuid4(), now, 1)
    assert await walk(ann, "?page=last", "prev") == ["1", *right]
    for key in ("0", str(2**63 - 1)):
        for name in ("after", "before"):
            assert len(await rows(ann, f"?{name}={write_cursor((key,))}")) == 50


async def walk(browser: Browser, query: str, rel: str) -> list[str]:
    """The causes of all rows, in the order of the list."""
    pages: list[list[str]] = []
    following: str | None = query
    while following is not None:
        page = await browser.get(f"{_PATH}{following}")
        pages.append([cause for _, _, cause in _ROW.findall(page.text)])
        link = re.search(rf'rel="{rel}" href="{_PATH}([^"]+)"', page.text)
        following = unescape(link[1]) if link else None
    ordered = pages if rel == "next" else pages[::-1]
    return [one for shown in ordered for one in shown]


@pytest.mark.anyio
async def test_a_month_says_what_corrects_it(client: AppClient, data: Sellers) -> None:
    """Goodwill corrects no month. What is sold by others is not in it."""
    await corrected(client, data)
    ann = await client.sign_in(data.distributor)
    await adjusted(ann, data.partner.organisation_id)
    page = await ann.get("/statements/months/2026-03")
    shown = text(page)
    assert "Adjustments Net 1 €10.00" in shown
    assert "1 €110.00 €130.90" in shown
    link = re.search(rf'href="({_PATH}[^"]*month=2026-03[^"]*)"', page.text)
    assert link
    assert await rows(ann, unescape(link[1]).removeprefix(_PATH)) == [("Pia", "Correction of March 2026")]
    assert "Sums of adjustments" not in (await ann.get("/statements/months/2026-04")).text
    pia = await client.sign_in(data.partner)
    assert "Sums of adjustments" not in (await pia.get("/statements/months/2026-03")).text


def line(no: int, product: str = "excess", **more: Any) -> dict[str, Any]:
    return {"no": no, "product": product, "subject": "a", "contract": "k", "from": "2026-03-01", "to": "2026-03-31",
            "unitPrice": "2", "amount": "1.00", **more}  # fmt: skip


def test_lines_stand_beside_those_that_are_about_the_same() -> None:
    """Of a price that begins in the month too; a line that has only another number is as before."""
    reserved, whole = line(1, "reserved"), line(2)
    first, second = line(2, to="2026-03-15"), line(3, **{"from": "2026-03-16"}, unitPrice="3")
    other = line(4, subject="b")
    found = pairs([reserved, whole, other], [{**reserved, "no": 5}, second, first])
    assert found == [Pair(reserved, {**reserved, "no": 5}), Pair(None, second), Pair(whole, first), Pair(other, None)]
    assert [pair.is_changed for pair in found] == [False, True, True, True]
    assert pairs([whole], [second]) == [Pair(whole, second)]
    assert pairs([], []) == []
