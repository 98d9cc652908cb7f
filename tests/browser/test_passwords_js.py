"""passwords.js shows how hard a password is to guess while it is typed."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Demo, Enter
from tests.browser.pictures import examine
from tests.browser.stub_page import StubPage

pytestmark = pytest.mark.browser

_FIELD = """<label for="new">New</label><input type="password" id="new">
<p class="strength" hidden data-strength-of="new"><meter min="0" max="4" aria-hidden="true"></meter>
<span aria-live="polite" data-0="Too short" data-1="Weak" data-2="Fair" data-3="Good" data-4="Strong"></span></p>"""


def test_length_and_variety_count(stub: StubPage) -> None:
    page = stub.show(_FIELD)
    line, meter = page.locator(".strength"), page.locator("meter")
    expect(line).to_be_hidden()
    for password, said, value in (
        ("Ab1-", "Too short", 0),
        ("aaaaaaaaaaaaaaaaaaaa", "Weak", 1),
        ("abcdefghijklmnop1234567", "Weak", 1),
        ("8302911746", "Weak", 1),
        ("sesame-opens", "Fair", 2),
        ("Tr0ub4dor&3x", "Good", 3),
        ("correct horse battery", "Strong", 4),
        ("żółć ryba okno dom", "Strong", 4),
    ):
        page.get_by_label("New").fill(password)
        expect(line).to_contain_text(said)
        expect(meter).to_have_js_property("value", value)
    page.get_by_label("New").fill("")
    expect(line).to_be_hidden()
    assert stub.posted == []


@pytest.mark.parametrize("scripts", [True, False])
def test_the_server_decides(browser: Browser, demo: Demo, signed_in: Enter, *, scripts: bool) -> None:
    tab = signed_in("distributor", "admin", scripts=scripts)
    page = tab.page
    page.goto(f"{demo.origin}/team/new")
    page.get_by_label("E-mail address").fill("new.member@example.com")
    page.get_by_label("Password", exact=True).fill("Terminator-1984")
    if scripts:
        expect(page.locator(".strength")).to_be_visible()
        assert examine(page, "password-strength") == []
    else:
        expect(page.locator(".strength")).to_be_hidden()
    tab.watch.expect(422)
    page.get_by_role("button", name="Add member").click()
    expect(page.locator("#password-error")).to_contain_text("commonest")
