"""`limit` and `cursor` of every list."""

from typing import Any

import pytest

from tests.api.conftest import AppClient
from tests.api.lists import List, every_list, identity

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
            ({"cursor": "LTE"}, 400),
            ({"cursor": "OTk5OTk5OTk5OTk5OTk5OTk5OTk5"}, 400),
        ):
            answer = await one.get(**params)
            assert answer.status_code == status, (one.path, params, answer.text)
            assert [error["field"] for error in answer.json()["errors"]] == list(params)


async def test_after_the_end_there_is_an_empty_page(all_lists: list[List]) -> None:
    for one in all_lists:
        answer = await one.get(cursor="OTk5OTk5OTk5OTk5OTk5OTk5")
        assert (answer.status_code, answer.json(), "link" in answer.headers) == (200, [], False), one.path
