"""The state of a list, parsed from a query and written back."""

from urllib.parse import parse_qsl

import pytest

from tonnage.keyset import Key, bigint, by_name, float8
from tonnage.lists import FIRST_PAGE, ListSpec, ListState, PageOf, Position
from tonnage.web.list_state import list_parameters, list_url, page_links, read_list_state, sort_url

SPEC = ListSpec(
    sorts={
        "created": (bigint("p.seq"),),
        "name": by_name("o"),
        "used": (float8("p.used"), bigint("p.seq")),
    },
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
    assert (state.position, state.size) == (FIRST_PAGE, 50)
    assert list_url(state) == "?"


@pytest.mark.parametrize(
    "query",
    [
        {"show": "nonsense", "sort": "password", "size": "7", "after": "!"},
        {"sort": "created.", "before": ""},
        {"sort": "used'; drop table partner; --", "page": "LAST", "size": "50.0"},
        {"sort": ".desc", "after": "\u0663", "size": ""},
        {"sort": "", "after": "MQ" * 5000},
        {"contract": "", "q": " \0 "},
    ],
)
def test_unknown_values_are_the_default(query: dict[str, str]) -> None:
    state = read_list_state(SPEC, query)
    assert state == read_list_state(SPEC, {})


@pytest.mark.parametrize("page", ["1", "3", "0", "-3", "1e9", "9" * 5000])
def test_page_numbers_of_older_links_are_ignored(page: str) -> None:
    assert read("?q=a&sort=name&page=" + page) == read("?q=a&sort=name")


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
        "?show=near&size=25&page=last",
        "?q=acme&after=MTI",
        "?sort=name&before=YmFyIPCfmqI.QsOkciDwn5qi.MzdiMTY0NzQtYjVhMi00NzM0LWI1MmMtZjYyZGU3ZDY4MTA2",
        "?contract=1234&q=%25_%5C%27%22+%F0%9F%9A%A2%26page%3D7&show=over&sort=used.asc&size=100&after=MC41.LTc",
    ],
)
def test_every_list_is_its_url(url: str) -> None:
    assert list_url(read(url), position=read(url).position) == url
    assert read(list_url(read(url), position=read(url).position)) == read(url)


def test_another_view_begins_at_the_first_page_and_keeps_the_rest() -> None:
    state = read("?contract=1234&q=a&sort=used&after=MC41.LTc")
    assert state.position == Position(("0.5", "-7"))
    assert list_url(state, search="b") == "?contract=1234&q=b&sort=used"
    assert list_url(state, filter="over") == "?contract=1234&q=a&show=over&sort=used"
    assert list_url(state, size=25) == "?contract=1234&q=a&sort=used&size=25"
    assert list_parameters(state) == {"contract": "1234", "q": "a", "sort": "used"}


def test_headings_sort_and_turn_round() -> None:
    state = read("?sort=name&page=last")
    assert sort_url(state, "used") == "?sort=used"
    assert sort_url(state, "name") == "?sort=name.desc"
    assert sort_url(read("?sort=used"), "used") == "?sort=used.asc"
    assert sort_url(state, "created") == "?"


KEYS: tuple[Key, Key] = (("7",), ("9",))


@pytest.mark.parametrize(
    ("preceding", "rows", "total", "links"),
    [
        (0, 0, 0, "----"),
        (0, 3, 3, "----"),
        (0, 25, 30, "--n-"),
        (0, 25, 50, "--n-"),
        (0, 25, 51, "--nl"),
        (25, 25, 76, "-pnl"),
        (26, 25, 76, "fpn-"),
        (75, 1, 76, "fp--"),
        (1, 1, 76, "-pnl"),
    ],
)
def test_links_to_other_pages(preceding: int, rows: int, total: int, links: str) -> None:
    found = PageOf([None] * rows, total, preceding, *(KEYS if rows else (None, None)))
    urls = ("?size=25", "?size=25&before=Nw", "?size=25&after=OQ", "?size=25&page=last")
    expected = tuple(url if link in links else None for link, url in zip("fpnl", urls, strict=True))
    assert page_links(read("?size=25&after=MTI"), found) == expected
