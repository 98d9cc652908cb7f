"""`limit` and `cursor` of every list."""

import base64
from dataclasses import replace
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from tests.api.conftest import AccountData, AppClient, application
from tests.api.lists import List, every_list, identity
from tonnage.config import Limits

pytestmark = pytest.mark.anyio


@pytest.fixture
async def all_lists(client: AppClient) -> list[List]:
    return await every_list(client)


async def test_the_pages_together_are_the_list(all_lists: list[List]) -> None:
    for one in all_lists:
        whole = await one.whole()
        for limit in (1, 3, len(whole) - 1, len(whole), len(whole) + 1, 1000):
            pages = [page async for page in one.pages(limit)]
            assert [element for page in pages for element in page] == whole, (one.path, limit)
            assert all(len(page) == limit for page in pages[:-1])
            assert pages[-1]


async def test_elements_added_between_pages_come_last(all_lists: list[List]) -> None:
    for one in all_lists:
        before = await one.whole()
        seen: list[Any] = []
        added = 0
        async for page in one.pages(2):
            seen += page
            if added < 3:
                await one.add()
                added += 1
        after = await one.whole()
        assert len(after) == len(before) + 3
        # A contract's and a partner's numbers change; the elements and their order do not.
        assert list(map(identity, seen)) == list(map(identity, after)), one.path
        assert list(map(identity, seen))[: len(before)] == list(map(identity, before))


async def test_deleted_elements_skip_no_others(all_lists: list[List]) -> None:
    """Each time the element of the cursor is deleted, and one that no page has shown yet."""
    for one in all_lists:
        before = list(map(identity, await one.whole()))
        seen: list[str] = []
        unseen: list[str] = []
        async for page in one.pages(2):
            seen += map(identity, page)
            left = [element for element in before if element not in {*seen, *unseen}]
            await one.remove(seen[-1])
            if len(left) > 1:
                unseen.append(left[0])
                await one.remove(left[0])
        shown = [element for element in before if element in seen]
        assert seen == shown, one.path
        assert set(before) - set(seen) <= set(unseen), one.path


async def test_invalid_pages(all_lists: list[List]) -> None:
    for one in all_lists:
        for params, status in (
            ({"limit": "0"}, 422),
            ({"limit": "-1"}, 422),
            ({"limit": "1001"}, 422),
            ({"limit": "999999999999999999"}, 422),
            ({"limit": "abc"}, 400),
            ({"limit": ""}, 400),
            ({"limit": "1.0"}, 400),
            ({"limit": "\u0661"}, 400),
            ({"limit": "9" * 5000}, 400),
            ({"cursor": ""}, 400),
            ({"cursor": "!"}, 400),
            ({"cursor": "\u00e4"}, 400),
            ({"cursor": "MQ"}, 400),
            ({"cursor": "A" * 32}, 400),
        ):
            answer = await one.get(**params)
            assert answer.status_code == status, (one.path, params, answer.text)
            assert [error["field"] for error in answer.json()["errors"]] == list(params)


async def test_a_cursor_is_good_for_one_list_of_one_organisation(client: AppClient, all_lists: list[List]) -> None:
    """For those who may read it: another list of theirs, and the same list of another organisation."""
    # More requests in a second than one key may make: every list's cursor at every list.
    client.app.state.services = replace(client.app.state.services, limits=Limits(requests_per_second=1_000_000))
    others = {one.path: one for one in await every_list(client)}
    for one in all_lists:
        cursor = httpx.URL((await one.get(limit="1")).links["next"]["url"]).params["cursor"]
        assert (await one.get(cursor=cursor)).status_code == 200
        for other in (*(other for other in all_lists if other is not one), others[one.path]):
            answer = await other.get(cursor=cursor)
            assert answer.status_code == 400, (one.path, other.path)
            assert answer.json()["detail"] == "cursor: is not from a Link header of this list"


async def test_cursors_are_those_of_the_database(client: AppClient, conninfo: str, all_lists: list[List]) -> None:
    """Another process continues the pages that one has begun, whichever key seals secrets."""
    async with application(conninfo, client.cast) as other:
        for one in all_lists:
            link = (await one.get(limit="3")).links["next"]["url"]
            key = await client.key(one.reader)
            pages = [await process.call("GET", link, key) for process in (client, other)]
            assert [page.status_code for page in pages] == [200, 200], one.path
            assert pages[0].json() == pages[1].json()
            assert pages[0].headers.get("link") == pages[1].headers.get("link")


async def test_no_number_of_the_system_is_in_a_cursor(client: AppClient, data: AccountData) -> None:
    """Two cursors of a distributor's do not reveal how much others created between them."""
    await client.cast.contract(data.distributor)
    key = await client.key(data.distributor)
    link = (await client.call("GET", "/v1/contract/list?limit=1", key)).links["next"]["url"]
    (seq,) = await client.cast.row("select seq from contract where id = %s", data.contract)
    (cursor_key,) = await client.cast.row("select cursor_key from installation")
    raw = base64.urlsafe_b64decode(httpx.URL(link).params["cursor"])
    assert str(seq).encode() not in raw
    assert seq.to_bytes(8) not in raw
    path, organisation = b"/v1/contract/list", str(data.distributor.organisation_id).encode()
    assert int.from_bytes(AESSIV(bytes(cursor_key)).decrypt(raw, [path, organisation])) == seq
