"""The state of a list, parsed from a query and written back."""

from urllib.parse import parse_qsl

import pytest

from tonnage.lists import ListSpec, ListState
from tonnage.web.list_state import list_url, read_list_state, sort_url

SPEC = ListSpec(
    sorts=("created", "name", "used"),
    filters=("near", "over"),
    descending_by_default=frozenset({"created", "used"}),
    sizes=(50, 25, 100),
    preserve=("contract",),
)


def read(url: str) -> ListState:
    return read_list_state(SPEC, dict(parse_qsl(url.removeprefix("?"), keep_blank_values=True)))


def test_an_empty_query_is_the_default() -> None:
    state = read_list_state(SPEC, {})
    assert (state.search, state.filter, state.sort, state.descending) == ("", "", "created", True)
    assert (state.page, state.size, state.offset) == (1, 50, 0)
    assert list_url(state) == "?"


@pytest.mark.parametrize(
    "query",
    [
        {"show": "nonsense", "sort": "password", "size": "7", "page": "0"},
        {"sort": "created.", "page": "-3"},
        {"sort": "used'; drop table partner; --", "page": "1e9", "size": "50.0"},
        {"sort": ".desc", "page": "\u0663", "size": ""},
        {"sort": "", "page": "9" * 5000},
        {"contract": "", "q": " \0 "},
    ],
)
def test_unknown_values_are_the_default(query: dict[str, str]) -> None:
    state = read_list_state(SPEC, query)
    assert state == read_list_state(SPEC, {})


def test_a_page_far_away_still_has_an_offset_that_a_database_can_count() -> None:
    assert read_list_state(SPEC, {"page": "999999999"}).offset < 2**31


def test_a_search_is_trimmed_and_cut() -> None:
    assert read_list_state(SPEC, {"q": "  a\0b  "}).search == "ab"
    assert read_list_state(SPEC, {"q": "x" * 199 + "  y"}).search == "x" * 199


@pytest.mark.parametrize(
    "url",
    [
        "?q=acme",
        "?sort=name",
        "?sort=name.desc",
        "?sort=created.asc",
        "?sort=used",
        "?show=near&size=25&page=3",
        "?contract=1234&q=%25_%5C%27%22+%F0%9F%9A%A2%26page%3D7&show=over&sort=used.asc&size=100&page=12",
    ],
)
def test_every_list_is_its_url(url: str) -> None:
    assert list_url(read(url), page=read(url).page) == url
    assert read(list_url(read(url), page=read(url).page)) == read(url)


def test_another_view_begins_at_the_first_page_and_keeps_the_rest() -> None:
    state = read("?contract=1234&q=a&sort=used&page=4")
    assert list_url(state, search="b") == "?contract=1234&q=b&sort=used"
    assert list_url(state, page=5) == "?contract=1234&q=a&sort=used&page=5"
    assert list_url(state, filter="over") == "?contract=1234&q=a&show=over&sort=used"


def test_headings_sort_and_turn_round() -> None:
    state = read("?sort=name&page=2")
    assert sort_url(state, "used") == "?sort=used"
    assert sort_url(state, "name") == "?sort=name.desc"
    assert sort_url(read("?sort=used"), "used") == "?sort=used.asc"
    assert sort_url(state, "created") == "?"


@pytest.mark.parametrize(("total", "pages", "page"), [(0, 1, 1), (1, 1, 1), (50, 1, 1), (51, 2, 2), (100000, 2000, 9)])
def test_behind_the_last_page_is_the_last_one(total: int, pages: int, page: int) -> None:
    state = read("?page=9")
    assert state.pages(total) == pages
    assert state.within(total).page == page
