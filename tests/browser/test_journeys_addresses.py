"""E-mail addresses of every kind, typed into Chromium."""

import re
import unicodedata

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Demo
from tests.browser.journeys import submit_password
from tests.browser.watch import watched
from tests.email_addresses import ADDRESSES

pytestmark = pytest.mark.browser


def test_the_sign_in_sends_every_address_as_it_is_typed(browser: Browser, demo: Demo) -> None:
    """Of type=email, Chromium sent none of them with a letter that is not ASCII before the @, and others rewritten."""
    with browser.new_context() as context, watched(context, demo.origin) as watch:
        page = context.new_page()
        page.goto(f"{demo.origin}/sign-in")
        field = page.get_by_label("E-mail address")
        expect(field).to_have_attribute("inputmode", "email")
        expect(field).to_have_attribute("autocomplete", "username")
        for address in ADDRESSES:
            watch.expect(422)
            sent = page.expect_request(lambda request: request.method == "POST")
            with sent as posted:
                submit_password(page, address.typed, "wrong")
            fields: dict[str, str] = posted.value.post_data_json or {}
            assert fields["email"] == address.typed, address.kind
            expect(page.get_by_role("alert")).to_contain_text(re.compile("address or password is wrong"))


def test_a_member_with_an_international_address_signs_in(browser: Browser, demo: Demo) -> None:
    admin = demo.login("operator", "admin")
    stored, password = "zo\u00eb@m\u00fcnchen.example.com", "Sesame-opens-1-Gate"
    with browser.new_context() as context, watched(context, demo.origin):
        page = context.new_page()
        page.goto(f"{demo.origin}/sign-in?next=/team/new")
        submit_password(page, admin["email"], admin["password"])
        expect(page.get_by_label("E-mail address")).to_have_attribute("autocomplete", "off")
        page.get_by_label("E-mail address").fill(stored)
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name=re.compile("Add")).click()
        expect(page.get_by_text(stored).first).to_be_visible()
    for typed in (stored, unicodedata.normalize("NFD", stored.upper()), "zo\u00eb@xn--mnchen-3ya.example.com"):
        with browser.new_context() as context, watched(context, demo.origin):
            page = context.new_page()
            page.goto(f"{demo.origin}/sign-in?next=/profile")
            submit_password(page, typed, password)
            expect(page.get_by_text(stored).first).to_be_visible()
