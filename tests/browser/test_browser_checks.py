"""The browser tests' own checks: each of them finds a planted fault."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser

from tests.browser import axe
from tests.browser.pages import crawl, picture_name, templates
from tests.browser.pictures import examine
from tests.browser.stub_page import StubPage
from tests.browser.watch import Watch, watched
from tonnage import console

pytestmark = pytest.mark.browser


def complaints(browser: Browser, body: str) -> list[str]:
    """The complaints about a page with `body`, as `watched` reports them."""
    with browser.new_context() as context:
        stub = StubPage(context)
        stub.parts["/gone"] = (404, "")
        with pytest.raises(AssertionError) as caught, watched(context, stub.origin):  # noqa: PT012  raised at its end
            stub.show(body)
            stub.page.wait_for_load_state("networkidle")
        return str(caught.value).splitlines()


def test_a_style_or_script_in_the_page_is_a_complaint(browser: Browser) -> None:
    found = complaints(browser, '<p style="color: red">red</p>')
    assert any(text.startswith("content policy: style-src-attr") for text in found)
    found = complaints(browser, "<script>document.title = 'x'</script>")
    assert any(text.startswith("content policy: script-src-elem") for text in found)


def test_an_error_of_a_script_is_a_complaint(browser: Browser) -> None:
    # An input without the fields that belong to it: console.js fails on it.
    found = complaints(browser, '<form><div data-remainder data-remaining="1"></div></form>')
    assert any("reading 'value'" in text for text in found)


def test_cross_origin_requests_are_reported(browser: Browser) -> None:
    with browser.new_context() as context:
        context.route("https://elsewhere.test/**", lambda route: route.fulfill(body="hello"))
        stub = StubPage(context)
        watch = Watch(context, stub.origin)
        stub.show("<p>Hello</p>")
        watch.check()
        stub.page.goto("https://elsewhere.test/")
        with pytest.raises(AssertionError, match=r"asked for https://elsewhere\.test/"):
            watch.check()


def test_an_error_status_is_a_complaint_unless_it_is_meant(browser: Browser) -> None:
    with browser.new_context() as context:
        stub = StubPage(context)
        stub.parts["/gone"] = (404, "<!doctype html><title>Gone</title>")
        watch = Watch(context, stub.origin)
        watch.expect(404)
        stub.show("<p>Hello</p>").goto(f"{stub.origin}/gone")
        stub.page.wait_for_load_state("networkidle")
        watch.check()
    assert "status of 404" in complaints(browser, '<img src="/gone" alt="">')[0]


def test_axe_names_the_rule_the_element_and_the_remedy(stub: StubPage) -> None:
    page = stub.show('<form><label>Name <input name="name"></label></form>')
    axe.check(page)
    page = stub.show('<form><input name="nameless"></form><h4>Too deep</h4><p class="muted" id="pale">pale</p>')
    page.evaluate("document.getElementById('pale').style.color = '#dddddd'")
    with pytest.raises(AssertionError) as caught:
        axe.check(page)
    report = str(caught.value)
    assert 'label: input\n  <input name="nameless">\n  Fix any of the following' in report
    assert "color-contrast: #pale" in report
    assert "heading-order: h4" in report


def test_too_wide_and_too_heavy_pages_are_reported_and_photographed(stub: StubPage, tmp_path: Path) -> None:
    page = stub.show("<p>Short</p>")
    assert examine(page, "short", tmp_path) == []
    page = stub.show("<p>" + "wide" * 40 + '</p><input name="nameless">')
    found = examine(page, "wide", tmp_path)
    assert "wide at 390: wider than the window" in found
    assert sum("wider" in line for line in found) == 2
    assert sum("label: input" in line for line in found) == 2
    assert len(examine(stub.show("<p>" + "heavy " * 5000), "wide", tmp_path)) == 1
    names = {f"{name}-{width}-{theme}.png" for name in ("short", "wide") for width in (390, 1440)
             for theme in ("light", "dark")}  # fmt: skip
    assert {path.name for path in tmp_path.iterdir()} == names
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in tmp_path.iterdir())


def test_a_colour_that_is_too_pale_in_one_theme_is_reported(stub: StubPage, tmp_path: Path) -> None:
    page = stub.show('<p id="pale">pale</p>')
    for colours, theme in (("#ddd, #ddd", "light"), ("#222, #222", "dark")):
        page.evaluate("(colours) => { pale.style.color = `light-dark(${colours})`; }", colours)
        found = examine(page, "pale", tmp_path)
        assert [line.partition(": ")[0] for line in found] == [f"pale at {width}, {theme}" for width in (390, 1440)]


def test_themes_differ_in_colours_only() -> None:
    """All that depends on the theme is `light-dark()`, which takes nothing but colours."""
    sheets = [path.read_text() for path in Path(console.__file__).parent.rglob("*.css")]
    assert any("light-dark(" in sheet for sheet in sheets)
    assert not any("prefers-color-scheme" in sheet for sheet in sheets)


def test_links_are_followed_to_every_page(browser: Browser) -> None:
    with browser.new_context() as context:
        stub = StubPage(context)
        stub.parts = {
            "/partners": (
                200,
                '<a href="/partners/new">New</a> <a href="/partners/17?days=7">17</a> <a href="/gone">x</a>',
            ),
            "/partners/new": (200, '<a href="https://elsewhere.test/">Elsewhere</a><a href="/partners">Back</a>'),
            "/partners/17": (200, '<a class="button" href="/partners/17/move">Move</a><a href="/partners.csv">CSV</a>'),
            "/gone": (404, ""),
        }
        page = stub.show('<a href="/partners">Partners</a>')
        known = ["/partners", "/partners/{id}", "/partners/new", "/partners/{id}/move", "/partners/{id}/close"]
        site_map = crawl(page, known)
    assert site_map.found == {
        "/partners": "/partners",
        "/partners/new": "/partners/new",
        "/partners/{id}": "/partners/17",
        "/partners/{id}/move": "/partners/17/move",
    }
    assert site_map.broken_links == ["/partners has a link to /gone, which answers 404"]


def test_pages_are_distinguished_from_other_routes() -> None:
    def endpoint(module: str) -> Callable[[], None]:
        def handle() -> None: ...

        handle.__module__ = module
        return handle

    app = FastAPI(openapi_url=None)
    for method, path, module in (
        ("GET", "/team", "tonnage.console.organisation.team"),
        ("GET", "/team.csv", "tonnage.console.organisation.team"),
        ("POST", "/team/new", "tonnage.console.organisation.team"),
        ("GET", "/team/{member_id}", "tonnage.console.organisation.team"),
        ("GET", "/v1/contract/list", "tonnage.contracts.api"),
    ):
        app.add_api_route(path, endpoint(module), methods=[method])
    assert templates(app) == ["/team", "/team/{member_id}"]
    assert picture_name("/team/{member_id}") == "team-one"
