"""The browser tests' own checks: each of them finds a planted fault."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser

from tests.browser import axe
from tests.browser.pages import explore, name_of, templates
from tests.browser.pictures import look_at
from tests.browser.sheet import Sheet
from tests.browser.watch import Watch, watched

pytestmark = pytest.mark.browser


def complaints(browser: Browser, body: str) -> list[str]:
    """The complaints about a page with `body`, as `watched` reports them."""
    with browser.new_context() as context:
        sheet = Sheet(context)
        sheet.parts["/gone"] = (404, "")
        with pytest.raises(AssertionError) as caught, watched(context, sheet.origin):  # noqa: PT012  raised at its end
            sheet.show(body)
            sheet.page.wait_for_load_state("networkidle")
        return str(caught.value).splitlines()


def test_a_style_or_script_in_the_page_is_a_complaint(browser: Browser) -> None:
    found = complaints(browser, '<p style="color: red">red</p>')
    assert any(text.startswith("content policy: style-src-attr") for text in found)
    found = complaints(browser, "<script>document.title = 'x'</script>")
    assert any(text.startswith("content policy: script-src-elem") for text in found)


def test_an_error_of_a_script_is_a_complaint(browser: Browser) -> None:
    # An input without the fields that belong to it: console.js fails on it.
    found = complaints(browser, '<form><div data-remainder data-remaining="1"></div></form>')
    assert any("valueAsNumber" in text for text in found)


def test_whoever_else_is_asked_is_told(browser: Browser) -> None:
    with browser.new_context() as context:
        context.route("https://elsewhere.test/**", lambda route: route.fulfill(body="hello"))
        sheet = Sheet(context)
        watch = Watch(context, sheet.origin)
        sheet.show("<p>Hello</p>")
        watch.check()
        sheet.page.goto("https://elsewhere.test/")
        with pytest.raises(AssertionError, match=r"asked for https://elsewhere\.test/"):
            watch.check()


def test_an_error_status_is_a_complaint_unless_it_is_meant(browser: Browser) -> None:
    with browser.new_context() as context:
        sheet = Sheet(context)
        sheet.parts["/gone"] = (404, "<!doctype html><title>Gone</title>")
        watch = Watch(context, sheet.origin)
        watch.expect(404)
        sheet.show("<p>Hello</p>").goto(f"{sheet.origin}/gone")
        sheet.page.wait_for_load_state("networkidle")
        watch.check()
    assert "status of 404" in complaints(browser, '<img src="/gone" alt="">')[0]


def test_axe_names_the_rule_the_element_and_the_remedy(sheet: Sheet) -> None:
    page = sheet.show('<form><label>Name <input name="name"></label></form>')
    axe.check(page)
    page = sheet.show('<form><input name="nameless"></form><h4>Too deep</h4><p class="muted" id="pale">pale</p>')
    page.evaluate("document.getElementById('pale').style.color = '#dddddd'")
    with pytest.raises(AssertionError) as caught:
        axe.check(page)
    report = str(caught.value)
    assert 'label: input\n  <input name="nameless">\n  Fix any of the following' in report
    assert "color-contrast: #pale" in report
    assert "heading-order: h4" in report


def test_a_page_that_is_too_wide_or_heavy_is_told_and_every_picture_is_taken(sheet: Sheet, tmp_path: Path) -> None:
    page = sheet.show("<p>Short</p>")
    assert look_at(page, "short", tmp_path) == []
    page = sheet.show("<p>" + "wide" * 40 + '</p><input name="nameless">')
    found = look_at(page, "wide", tmp_path)
    assert "wide at 390: wider than the window" in found
    assert sum("wider" in line for line in found) == 2
    assert sum("label: input" in line for line in found) == 4
    assert len(look_at(sheet.show("<p>" + "heavy " * 5000), "wide", tmp_path)) == 1
    names = {f"{name}-{width}-{theme}.png" for name in ("short", "wide") for width in (390, 1440)
             for theme in ("light", "dark")}  # fmt: skip
    assert {path.name for path in tmp_path.iterdir()} == names
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in tmp_path.iterdir())


def test_links_are_followed_to_every_page(browser: Browser) -> None:
    with browser.new_context() as context:
        sheet = Sheet(context)
        sheet.parts = {
            "/partners": (
                200,
                '<a href="/partners/new">New</a> <a href="/partners/17?days=7">17</a> <a href="/gone">x</a>',
            ),
            "/partners/new": (200, '<a href="https://elsewhere.test/">Elsewhere</a><a href="/partners">Back</a>'),
            "/partners/17": (200, '<a class="button" href="/partners/17/move">Move</a><a href="/partners.csv">CSV</a>'),
            "/gone": (404, ""),
        }
        page = sheet.show('<a href="/partners">Partners</a>')
        known = ["/partners", "/partners/{id}", "/partners/new", "/partners/{id}/move", "/partners/{id}/close"]
        atlas = explore(page, known)
    assert atlas.found == {
        "/partners": "/partners",
        "/partners/new": "/partners/new",
        "/partners/{id}": "/partners/17",
        "/partners/{id}/move": "/partners/17/move",
    }
    assert atlas.dead == ["/partners has a link to /gone, which answers 404"]


def test_pages_are_told_from_the_other_routes() -> None:
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
    assert name_of("/team/{member_id}") == "team-one"
