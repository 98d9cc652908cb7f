"""Names of all scripts and spellings: accepted by the API and the forms, found and sorted by their keys."""

import csv
import html
import io
import re
from typing import Any
from uuid import uuid4

import pytest

from tests.api.conftest import AppClient
from tests.cast import TB
from tests.console.browsers import Browser
from tonnage.access.actor import Actor, Role

pytestmark = pytest.mark.anyio

SPELLINGS = ["Łódź", "z", "straße", "Straße", "STRASSE", "Ærø", "İstanbul", "ïstanbul", "two\u00a0words", "two  words"]

IN_ORDER = ["Ærø", "ïstanbul", "İstanbul", "Łódź", "STRASSE", "Straße", "straße", "two  words", "two\u00a0words", "z"]
"""By key, then by the name itself."""

QUESTIONS = {
    "lodz": ["Łódź"],
    "ŁÓDŹ": ["Łódź"],
    "strasse": ["STRASSE", "Straße", "straße"],
    "straße": ["STRASSE", "Straße", "straße"],
    "aero": ["Ærø"],
    "ÆRØ": ["Ærø"],
    "istanbul": ["ïstanbul", "İstanbul"],
    "ISTANBUL": ["ïstanbul", "İstanbul"],
    "ıstanbul": ["ïstanbul", "İstanbul"],
    "two words": ["two  words", "two\u00a0words"],
    "TWO \u2003 WORDS": ["two  words", "two\u00a0words"],
}


@pytest.fixture
async def distributor(client: AppClient) -> Actor:
    return await client.cast.distributor()


async def names(browser: Browser, file: str, **query: str) -> list[str]:
    """The first column of a list's CSV file, which has the list's order."""
    answer = await browser.http.get(file, params=query)
    assert answer.status_code == 200, answer.text
    return [row[0] for row in csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))][1:]


async def check(browser: Browser, path: str, word: str = "") -> None:
    """`word`, contained in all names, excludes those of other tests from the list."""
    asked = {"q": word} if word else {}
    expected = [f"{name}{word}" for name in IN_ORDER]
    assert await names(browser, f"{path}.csv", sort="name", **asked) == expected
    assert await names(browser, f"{path}.csv", sort="name.desc", **asked) == expected[::-1]
    for question, found in QUESTIONS.items():
        assert await names(browser, f"{path}.csv", sort="name", q=question + word) == [
            f"{name}{word}" for name in found
        ]
        page = await browser.http.get(path, params={"q": question + word})
        assert f"1 to {len(found)} of {len(found)}<" in page.text, question


async def post(client: AppClient, path: str, actor: Actor, body: dict[str, Any]) -> Any:
    answer = await client.call("POST", path, await client.key(actor), json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_partners_by_the_api_and_renamed_by_it(client: AppClient, distributor: Actor) -> None:
    contract = await client.cast.contract(distributor)
    made: list[str] = []
    for _ in SPELLINGS:
        partner = {"name": "first", "distributorContractId": str(contract), "allocatedCapacity": 0}
        made.append((await post(client, "/v1/partner", distributor, partner))["id"])
    key = await client.key(distributor)
    for partner_id, name in zip(made, SPELLINGS, strict=True):
        answer = await client.call("PUT", f"/v1/partner/{partner_id}", key, json={"name": name})
        assert answer.status_code == 200, answer.text
    browser = await client.sign_in(distributor, Role.VIEWER)
    await check(browser, "/distributor/partners")
    assert await names(browser, "/distributor/partners.csv", q="first") == []
    near = await names(browser, "/distributor/partners.csv", q="strasse", sort="name", show="pay-per-use")
    assert near == QUESTIONS["strasse"]


async def test_storage_accounts_by_the_api_and_renamed_by_it(client: AppClient, distributor: Actor) -> None:
    cast = client.cast
    region = await cast.region()
    partner = await cast.partner(distributor, await cast.contract(distributor), name="of accounts")
    key = await client.key(partner)
    for name in SPELLINGS:
        account = {
            "name": "first",
            "clientAccount": {"contactEmail": f"{uuid4().hex}@example.org", "password": "Correct-Horse-7-Battery"},
            "allocatedCapacity": 0,
            "allowOverdraft": False,
            "region": region,
        }
        made = await post(client, "/v1/storage-account", partner, account)
        path = f"/ext/v1/storage-account/{made['clientAccountId']}"
        answer = await client.call("PATCH", path, key, json={"name": name})
        assert answer.status_code == 200, answer.text
    browser = await client.sign_in(partner, Role.VIEWER)
    await check(browser, "/partner/accounts")
    assert await names(browser, "/partner/accounts.csv", q="first") == []


async def test_contracts_and_distributors(client: AppClient) -> None:
    cast, word = client.cast, uuid4().hex
    for name in SPELLINGS:
        await cast.contract(await cast.distributor(f"{name}{word}"), 10 * TB, details=f"{name}{word}")
    browser = await client.sign_in(cast.operator, Role.VIEWER)
    await check(browser, "/operator/distributors", word)
    await check(browser, "/operator/contracts", word)
    by_distributor = await names(browser, "/operator/contracts.csv", q=word, sort="distributor")
    assert by_distributor == [f"{name}{word}" for name in IN_ORDER]


async def test_members_by_form_and_by_their_own_profile(client: AppClient, distributor: Actor) -> None:
    admin, word = await client.sign_in(distributor), uuid4().hex
    for name in SPELLINGS[1:]:
        fields = {"name": f"{name}{word}", "email": f"{uuid4().hex}@example.org", "role": "viewer"}
        answer = await admin.send("/team/new", {**fields, "password": "Correct-Horse-7-Battery"})
        assert answer.status_code == 303, answer.text
    profile = {"name": f"{SPELLINGS[0]}{word}", "locale": "", "time_zone": "UTC"}
    assert (await admin.send("/profile", profile)).status_code == 303
    operator = await client.sign_in(client.cast.operator, Role.VIEWER)

    async def shown(question: str, sort: str) -> list[str]:
        page = await operator.http.get("/operator/members", params={"q": question + word, "sort": sort})
        return re.findall(f">([^<>]+){word}<", html.unescape(page.text))

    assert await shown("", "name") == IN_ORDER
    assert await shown("", "name.desc") == IN_ORDER[::-1]
    for question, found in QUESTIONS.items():
        assert await shown(question, "name") == found, question


async def test_the_audit_log_is_searched_by_keys(client: AppClient, distributor: Actor) -> None:
    cast = client.cast
    partner = await cast.partner(distributor, await cast.contract(distributor), name="Łódź  Straße")
    account = await cast.account(partner, region=await cast.region(), name="Ærø\u00a0İstanbul")
    browser = await client.sign_in(distributor, Role.VIEWER)

    async def subjects(question: str) -> set[str]:
        answer = await browser.http.get("/audit.csv", params={"q": question})
        rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        return {row[rows[0].index("ID")] for row in rows[1:]}

    assert await subjects("ŁODZ straße") == {str(partner.organisation_id)}
    assert await subjects("ærö \u2003 İSTANBUL") == {str(account)}
