"""The pages of prices: books, the editor of drafts, publication, assignments, and what a buyer sees."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.api.conftest import AccountData, AppClient
from tests.console.browsers import Browser
from tests.console.html_forms import form_of
from tests.console.test_authorization import book_of
from tonnage.access.actor import Actor, Role
from tonnage.price_books import actions
from tonnage.price_books.assignment import NewAssignment, Subject, SubjectKind
from tonnage.price_books.version_body import VersionReqBody

pytestmark = pytest.mark.anyio


def day(client: AppClient, days: int = 0) -> str:
    return (client.clock.now.date() + timedelta(days=days)).isoformat()


def first_of_next_month(client: AppClient) -> str:
    return (client.clock.now.date().replace(day=1) + timedelta(days=31)).replace(day=1).isoformat()


async def draft(client: AppClient, seller: Actor, book: UUID, since: str, **prices: Any) -> int:
    version = VersionReqBody.model_validate({"validFrom": since, **prices}).new_version()
    number, _ = await client.cast.database.run(actions.add_version, seller, book, version, client.clock.now)
    return number


async def published(client: AppClient, seller: Actor, since: str, **prices: Any) -> UUID:
    """A new book with prices."""
    book = await book_of(client, seller)
    number = await draft(client, seller, book, since, **prices)
    await client.cast.database.transaction(actions.publish, seller, book, number, client.clock.now, correct=True)
    return book


async def assign(client: AppClient, seller: Actor, kind: SubjectKind, subject: Any, book: UUID, since: str) -> None:
    new = NewAssignment(book, date.fromisoformat(since))
    await client.cast.database.transaction(
        actions.assign, seller, Subject(kind, subject), new, client.clock.now, correct=True
    )


async def fill(ann: Browser, path: str, typed: dict[str, str]) -> Any:
    form = form_of((await ann.get(path)).text, path)
    return await ann.http.post(path, data={**form.fields, **typed})


async def test_a_book_and_its_draft_are_made_and_published(client: AppClient, data: AccountData) -> None:
    ann, bob = await client.sign_in(data.distributor), await client.sign_in(data.distributor, Role.VIEWER)
    made = await ann.send("/prices/new", {"name": "Gold <1>", "currency": "eur", "default": "on"})
    book = made.headers["location"]
    typed = {
        "valid_from": day(client), "reserved": "0,69", "excess": "1", "pay_per_use": "1.5", "minimum_gb": "1000",
        "minimum_pool": "account", "minimum_charge": "5000", "egress": "1.2", "discount": "2.5",
    }  # fmt: skip
    added = await fill(ann, f"{book}/versions/new", typed)
    assert added.status_code == 303
    path = added.headers["location"]
    form = form_of((await ann.get(path)).text, path)
    assert {name: form.shown[name] for name in typed} == {**typed, "reserved": "0.69"}
    assert form.shown["prorate"] == "on"
    question = (await ann.get(f"{path}/publish")).text
    assert "these prices apply to 1 partner." in question
    assert "Reserved: €0.0069 / GB-month (€6.90 / TB)" in question
    assert (await ann.send(f"{path}/publish", form_of(question, f"{path}/publish").hidden)).status_code == 303
    shown = (await ann.get(path)).text
    for text in ("€0.0069 / GB-month (€6.90 / TB)", "€50.00 a month", "1\N{NARROW NO-BREAK SPACE}TB of each storage",
                 "€0.012 / GB (€12.00 / TB)", "2.5%", "It never changes"):  # fmt: skip
        assert text in shown
    assert "<form" not in shown.partition("<main")[2].partition("</main")[0]
    refused = await ann.post(path, {**typed, "reserved": "2"})
    assert refused.status_code == 409
    assert "never changes" in refused.text
    for reader in (ann, bob):
        listed = (await reader.get("/prices")).text
        assert "Gold &lt;1&gt;" in listed
        assert "Reserved €0.0069 / GB-month (€6.90 / TB), Excess €0.01" in listed
    assert "New price book" not in listed
    assert "New price book" in (await ann.get("/prices")).text
    assert (await bob.get(f"{path}/publish")).status_code == 403
    second = await ann.send("/prices/new", {"name": "Other", "currency": "EUR", "default": "on"})
    assert second.status_code == 409
    assert "There is a default price book already" in second.text


async def test_all_errors_of_a_draft_are_shown_at_their_fields(client: AppClient, data: AccountData) -> None:
    ann = await client.sign_in(data.distributor)
    path = f"/prices/{await book_of(client, data.distributor)}/versions/new"
    wrong = {
        "valid_from": "2026-02-30", "reserved": "1.0000001", "excess": "-1", "pay_per_use": "1.000",
        "minimum_gb": "1.5", "minimum_charge": "many", "egress": "1e3", "discount": "101",
        "band_1_to": "10.5", "band_1_price": "0.5", "band_2_to": "200", "band_2_price": "", "tiers_on": "",
    }  # fmt: skip
    refused = await fill(ann, path, wrong)
    assert refused.status_code == 422
    again = form_of(refused.text, path)
    errors = {name.removesuffix("-error") for name in again.errors}
    assert errors == wrong.keys() - {"band_1_price", "band_2_to"}
    assert {name: again.shown[name] for name in wrong} == wrong


@pytest.mark.parametrize(
    ("bands", "wrong"),
    [
        ({"band_1_to": "100", "band_1_price": "2", "band_3_to": "50", "band_3_price": "1"}, "band_3_to"),
        ({"band_1_to": "100", "band_1_price": "2"}, "band_1_to"),
        ({"band_1_price": "2", "band_2_price": "1"}, "band_2_to"),
        ({}, "tiers_on"),
    ],
)
async def test_bands_have_no_gap(client: AppClient, data: AccountData, bands: dict[str, str], wrong: str) -> None:
    ann = await client.sign_in(data.distributor)
    path = f"/prices/{await book_of(client, data.distributor)}/versions/new"
    refused = await fill(ann, path, {"tiers_on": "reserved", **bands})
    assert refused.status_code == 422
    assert set(form_of(refused.text, path).errors) == {f"{wrong}-error"}


async def test_more_rows_appear_and_a_cheaper_quantity_is_warned_of(client: AppClient, data: AccountData) -> None:
    ann = await client.sign_in(data.distributor)
    path = f"/prices/{await book_of(client, data.distributor)}/versions/new"
    bands = {f"band_{row}_to": str(100 * row) for row in range(1, 4)}
    bands |= {f"band_{row}_price": str(5 - row) for row in range(1, 5)}
    bands["band_2_price"] = "4"
    typed = {"tiers_on": "pay_per_use", "tiers_mode": "volume", **bands}
    saved = (await fill(ann, path, typed)).headers["location"]
    page = (await ann.get(saved)).text
    assert "more can cost less: at 200\N{NARROW NO-BREAK SPACE}GB" in page
    form = form_of(page, saved)
    assert {name: form.shown[name] for name in typed} == typed
    assert "band_6_to" in form.names
    assert "band_7_to" not in form.names
    assert (await fill(ann, saved, {"tiers_mode": "graduated"})).status_code == 303
    assert "can cost less" not in (await ann.get(saved)).text


async def test_two_admins_edit_one_draft(client: AppClient, data: AccountData) -> None:
    ann, eve = await client.sign_in(data.distributor), await client.sign_in(data.distributor)
    book = await book_of(client, data.distributor)
    path = f"/prices/{book}/versions/{await draft(client, data.distributor, book, day(client), reserved='1')}"
    stale = form_of((await ann.get(path)).text, path).fields
    assert (await fill(eve, path, {"reserved": "2", "excess": "7"})).status_code == 303
    refused = await ann.http.post(path, data={**stale, "reserved": "3"})
    assert refused.status_code == 409
    form = form_of(refused.text, path)
    assert {name: text for name, text in form.errors.items() if name.endswith("-note")} == {
        "reserved-note": "Now 2.", "excess-note": "Now 7.",
    }  # fmt: skip
    assert form.shown["reserved"] == "3"
    for action in ("publish", "delete"):
        late = await ann.post(f"{path}/{action}", {"revision": stale["revision"]})
        assert late.status_code == 409, action
        assert "Somebody has changed the draft" in late.text
    assert (await ann.http.post(path, data=form.fields)).status_code == 303
    query = "select trim_scale(reserved)::text, excess, published_at from price_version where book_id = %s"
    assert await client.cast.row(query, book) == ("3", None, None)


async def test_past_days_are_changed_only_as_a_correction(client: AppClient, data: AccountData) -> None:
    ann = await client.sign_in(data.distributor)
    book = await book_of(client, data.distributor)
    path = f"/prices/{book}/versions/{await draft(client, data.distributor, book, day(client, -3), reserved='1')}"
    assert "/correct" not in (await ann.get(path)).text
    page = (await ann.get(f"{path}/publish")).text
    assert "which is in the past" in page
    assert f'href="{path}/correct"' in page
    assert "<button" not in page.partition("<main")[2].partition("</main")[0]
    assert (await ann.send(f"{path}/publish", form_of(page, f"{path}/publish").hidden)).status_code == 422
    question = (await ann.get(f"{path}/correct")).text
    assert "what was shown for the days since then changes" in question
    assert (await ann.send(f"{path}/correct", form_of(question, f"{path}/correct").hidden)).status_code == 303
    assigning = f"/distributor/partners/{data.partner.organisation_id}/prices"
    typed = {"book": str(book), "valid_from": day(client, -3)}
    assert "Correct past days" not in (await ann.get(assigning)).text
    refused = await ann.send(assigning, typed)
    assert refused.status_code == 422
    assert "Correct past days" in refused.text
    assert "valid_from-error" in form_of(refused.text, assigning).errors
    assert (await ann.send(assigning, {**typed, "correct": "on"})).status_code == 303


async def test_what_begins_within_a_month_is_refused_beforehand(client: AppClient, data: AccountData) -> None:
    ann = await client.sign_in(data.distributor)
    book = await book_of(client, data.distributor)
    tiers = {"on": "reserved", "mode": "volume", "bands": [{"price": "1"}]}
    second = (date.fromisoformat(first_of_next_month(client)) + timedelta(days=1)).isoformat()
    path = f"/prices/{book}/versions/{await draft(client, data.distributor, book, second, tiers=tiers)}"
    page = (await ann.get(f"{path}/publish")).text
    assert "It cannot be published: begins or ends prices by quantity" in page
    assert "/correct" not in page
    assert (await fill(ann, path, {"valid_from": first_of_next_month(client)})).status_code == 303
    assert (await ann.send(f"{path}/publish", {"revision": "2"})).status_code == 303
    assigning = f"/distributor/contracts/{data.contract}/prices"
    assert "begin on the first of a month, next on" in (await ann.get(assigning)).text
    refused = await ann.send(assigning, {"book": str(book), "valid_from": second})
    assert "possible on the first of a month" in form_of(refused.text, assigning).errors["valid_from-error"]
    assert (
        await ann.send(assigning, {"book": str(book), "valid_from": first_of_next_month(client)})
    ).status_code == 303


async def test_books_are_assigned_and_ended(client: AppClient, data: AccountData) -> None:
    """The nearest counts: the account's, that of all accounts, the default."""
    ann, bob = await client.sign_in(data.partner), await client.sign_in(data.partner, Role.STAFF)
    book = await published(client, data.partner, day(client), reserved="0.69")
    other = await published(client, data.partner, day(client), reserved="1.23")
    of_all, of_account = "/partner/prices/accounts", f"/partner/accounts/{data.account}/prices"
    assert "No price book applies." in (await ann.get(of_account)).text
    assert (await ann.send(of_all, {"book": str(book), "valid_from": day(client)})).status_code == 303
    page = (await ann.get(of_account)).text
    assert "It is assigned to all storage accounts." in page
    assert "€6.90 / TB" in page
    assert (await ann.send(of_account, {"book": str(other), "valid_from": day(client, 2)})).status_code == 303
    page = (await bob.get(of_account)).text
    assert "It is assigned to all storage accounts." in page
    assert "€12.30 / TB" in page
    assert "Assign price book" not in page
    assert f'href="{of_account}"' in (await ann.get(f"/prices/{other}")).text
    assert (await ann.send(of_account, {"book": "", "valid_from": day(client, 2)})).status_code == 303
    assert "€12.30 / TB" not in (await ann.get(of_account)).text
    assert "Not assigned" in (await ann.get(f"/prices/{other}")).text
    assert (await ann.send(of_account, {"book": "nonsense", "valid_from": ""})).status_code == 422
    theirs = await book_of(client, data.distributor)
    assert (await ann.post(of_account, {"book": str(theirs), "valid_from": day(client)})).status_code == 404


async def test_a_contract_has_one_currency(client: AppClient, data: AccountData) -> None:
    ann = await client.sign_in(client.cast.operator)
    dollars = await client.cast.database.run(
        actions.create_book, client.cast.operator, actions.NewPriceBook("Dollars", "USD"), client.clock.now
    )
    path = f"/operator/contracts/{data.contract}/prices"
    assert "Dollars" not in (await ann.get(path)).text
    refused = await ann.post(path, {"book": str(dollars.id), "valid_from": day(client)})
    assert refused.status_code == 409
    assert "book-error" in form_of(refused.text, path).errors


async def test_a_buyer_sees_its_own_prices_and_never_those_of_the_purchase(
    client: AppClient, data: AccountData
) -> None:
    """Every page of Prices of the partner has the distributor's prices for it, and nothing of the operator's."""
    operator, today = client.cast.operator, day(client)
    purchase = await published(client, operator, today, reserved="0.1234567"[:8], egress_per_gb="0.4321")
    await assign(client, operator, SubjectKind.CONTRACT, data.contract, purchase, today)
    sold = await published(client, data.distributor, today, reserved="0.69", excess="2.5")
    await assign(client, data.distributor, SubjectKind.CONTRACT, data.contract, sold, today)
    later = await draft(client, data.distributor, sold, day(client, 9), reserved="0.77")
    await client.cast.database.transaction(actions.publish, data.distributor, sold, later, client.clock.now)
    await draft(client, data.distributor, sold, day(client, 10), reserved="0.88")
    resale = await published(client, data.partner, today, reserved="9.99")
    partner, distributor = await client.sign_in(data.partner), await client.sign_in(data.distributor)
    paid = (await partner.get("/partner/prices")).text
    assert "€6.90 / TB" in paid
    assert "€7.70 / TB" in paid
    assert "€8.80 / TB" not in paid
    own = f"/partner/accounts/{data.account}"
    for path in ("/partner/prices", "/partner/prices/accounts", "/prices", f"/prices/{resale}", f"{own}/prices", own):
        text = (await partner.get(path)).text
        assert not [secret for secret in ("1.23456", "0.00123", "0.0043", str(purchase)) if secret in text], path
        assert "0.25" not in text or path == "/partner/prices"
    seen = (await distributor.get("/distributor/prices")).text
    assert "€0.00123456 / GB-month" in seen
    assert "Excess" in seen
    assert "€6.90" not in seen
    assert (await distributor.get(f"/prices/{resale}")).status_code == 404
    assert (await partner.get(f"/prices/{sold}")).status_code == 404
