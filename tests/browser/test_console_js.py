"""Effects of console.js, on pages made for the test with the markup of the console's components."""

from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.stub_page import StubPage
from tests.browser.watch import watched

pytestmark = pytest.mark.browser

THEMES = """<form method="post" action="/theme"><input type="hidden" name="csrf" value="token">
<button name="theme" value="light" data-theme-choice="light" aria-pressed="false">Light</button>
<button name="theme" value="dark" data-theme-choice="dark" aria-pressed="false">Dark</button>
<button name="theme" value="system" data-theme-choice="system" aria-pressed="true">Auto</button></form>"""


def test_the_theme_changes_in_place_and_is_sent_to_the_server(stub: StubPage) -> None:
    page = stub.show(THEMES)
    root = page.locator("html")
    with page.expect_request("**/theme"):
        page.get_by_role("button", name="Dark").click()
    expect(root).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(12, 17, 21)"
    pressed = page.locator('[aria-pressed="true"]')
    expect(pressed).to_have_text("Dark")
    with page.expect_request("**/theme"):
        page.get_by_role("button", name="Auto").click()
    expect(pressed).to_have_text("Auto")
    assert root.get_attribute("data-theme") is None
    sent = [parse_qsl(request.post_data or "") for request in stub.posted]
    assert sent == [[("csrf", "token"), ("theme", theme)] for theme in ("dark", "system")]


COPYING = """<code id="key">tng_0123</code> <button type="button" data-copy="key" data-copied="Copied">Copy</button>
<textarea aria-label="Pasted"></textarea>"""


@pytest.mark.parametrize("origin", ["https://tonnage.test", "http://tonnage.test"])
def test_copying_with_and_without_tls(browser: Browser, origin: str) -> None:
    with browser.new_context() as context, watched(context, origin):
        if origin.startswith("https"):
            context.grant_permissions(["clipboard-read", "clipboard-write"], origin=origin)
        stub = StubPage(context, origin)
        page = stub.show(COPYING)
        assert page.evaluate("Boolean(navigator.clipboard)") is origin.startswith("https")
        page.get_by_role("button", name="Copy").click()
        expect(page.locator("#live")).to_have_text("Copied")
        expect(page.get_by_role("button")).to_have_text("Copied")
        page.get_by_label("Pasted").focus()
        page.keyboard.press("Control+V")
        expect(page.get_by_label("Pasted")).to_have_value("tng_0123")
        expect(page.get_by_role("button")).to_have_text("Copy")


REMAINDER = """<form method="post" action="/partner"><div class="field" data-remainder data-remaining="47000000000000">
<label for="size">Allocation</label><input id="size" name="size" type="text" inputmode="decimal" data-number>
<select name="size_unit" aria-label="Unit" data-size-unit>
<option>PB</option><option selected>TB</option><option>GB</option><option>B</option></select>
<p>Remaining: <output for="size" data-beyond="{size} too much">47 TB</output></p></div>
<button>Create</button></form>"""


def test_the_remainder_follows_what_is_typed(stub: StubPage) -> None:
    page = stub.show(REMAINDER)
    output = page.locator("output")
    expect(output).to_have_text("47\u202fTB")
    for typed, unit, text in (
        ("5", "TB", "42\u202fTB"),
        ("46.9999", "TB", "100\u202fMB"),
        ("46999999999999", "B", "1\u202fB"),
        ("1500", "GB", "45.5\u202fTB"),
        ("0.001", "GB", "46.99\u202fTB"),  # cut: slightly less than 47 remains
        ("47", "TB", "0\u202fB"),
        ("47.25", "TB", "250\u202fGB too much"),
        ("1", "PB", "953\u202fTB too much"),
        ("46,5", "TB", "500\u202fGB"),
        ("1.000", "GB", "47\u202fTB"),  # two readings: no number yet
        ("", "TB", "47\u202fTB"),
    ):
        page.locator("#size").fill(typed)
        page.get_by_label("Unit").select_option(unit)
        expect(output).to_have_text(text)
        assert output.evaluate("output => output.classList.contains('beyond')") is text.endswith("too much")
    page = stub.show(REMAINDER, locale="de-DE")
    page.locator("#size").fill("1.5")
    expect(output).to_have_text("45,5\u202fTB")


def test_the_remainder_is_that_of_the_chosen_contract(stub: StubPage) -> None:
    page = stub.show(
        REMAINDER.replace(
            "<button>",
            '<label>Contract <select id="contract"><option data-remaining="2000000000000">A</option>'
            '<option data-remaining="1000000000000">B</option></select></label><button>',
        )
    )
    page.locator("#size").fill("1.5")
    expect(page.locator("output")).to_have_text("500\u202fGB")
    page.locator("#contract").select_option("B")
    expect(page.locator("output")).to_have_text("500\u202fGB too much")


def test_a_double_click_sends_a_form_once(stub: StubPage) -> None:
    page = stub.show('<form method="post" action="/partner"><button>Create</button></form><output>0</output>')
    # Submissions are counted instead of sent: a page that navigates away would not count a second press.
    page.evaluate(
        """() => document.querySelector("form").addEventListener("submit", (event) => {
            event.preventDefault();
            document.querySelector("output").textContent++;
        })"""
    )
    page.get_by_role("button").dblclick()
    page.get_by_role("button").press("Enter")
    expect(page.locator("output")).to_have_text("1")


def test_a_menu_closes_by_escape_and_by_a_click_beside_it(stub: StubPage) -> None:
    page = stub.show('<details class="menu"><summary>Menu</summary><a href="/x">Entry</a></details><p>Beside</p>')
    menu = page.locator("details")
    page.get_by_text("Menu").click()
    page.get_by_role("link").focus()
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(page.locator("summary")).to_be_focused()
    page.get_by_text("Menu").click()
    expect(menu).to_have_attribute("open", "")
    page.get_by_text("Beside").click()
    expect(menu).not_to_have_attribute("open", "")


LIST = """<div class="filters"><form method="get" action="/" hx-get="/list" hx-target="#list" hx-select="#list"
hx-swap="outerHTML" hx-push-url="true" hx-trigger="submit, input changed delay:50ms from:find input">
<input type="search" name="search" aria-label="Search"></form>
<a id="near" href="/?filter=near" data-follows-list="filter">Near full</a>
<a id="csv" href="/csv" data-follows-list>CSV</a></div><div id="list">Everything</div>"""


def test_a_list_is_filtered_in_place_and_its_links_follow(stub: StubPage) -> None:
    stub.parts["/list?search=old"] = (200, f"<html><body>{LIST.replace('Everything', 'Old Town')}</body></html>")
    page = stub.show(LIST)
    page.get_by_label("Search").press_sequentially("old")
    expect(page.locator("#list")).to_have_text("Old Town")
    expect(page.get_by_label("Search")).to_be_focused()
    assert page.url == f"{stub.origin}/list?search=old"
    expect(page.locator("#csv")).to_have_attribute("href", f"{stub.origin}/csv?search=old")
    expect(page.locator("#near")).to_have_attribute("href", f"{stub.origin}/?search=old&filter=near")


def test_a_refused_filter_shows_the_page_that_says_why(browser: Browser) -> None:
    with browser.new_context() as context:
        stub = StubPage(context)
        with watched(context, stub.origin) as watch:
            watch.expect(422)
            stub.parts["/list?search=x"] = (422, "<!doctype html><html lang=en><title>No</title><p>Refused</p></html>")
            page = stub.show(LIST)
            page.get_by_label("Search").fill("x")
            expect(page.get_by_text("Refused")).to_be_visible()
            assert page.url == f"{stub.origin}/list?search=x"
            # htmx's own warning.
            watch.complaints[:] = [text for text in watch.complaints if "Response Status Error Code 422" not in text]
