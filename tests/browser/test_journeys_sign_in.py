"""Sign-in beyond a password: second factors, blocks, password reset, ended sessions."""

import re
from collections.abc import Generator

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Demo, Enter, Sample, Tab, serving
from tests.browser.journeys import (
    AuthenticatorApp,
    expect_notice,
    login_of,
    mailbox,
    open_section,
    submit_password,
    wait_until,
)
from tests.browser.pictures import examine
from tests.browser.watch import watched
from tests.smtp import MailServer

pytestmark = pytest.mark.browser

PUBLIC_URL = "http://console.example.test"


@pytest.fixture(scope="module")
def mails() -> Generator[MailServer]:
    with mailbox() as server:
        yield server


@pytest.fixture(scope="module")
def demo(sample: Sample, tmp_path_factory: pytest.TempPathFactory, mails: MailServer) -> Generator[Demo]:
    """Its worker sends mail."""
    settings = {
        "TONNAGE_SMTP_URL": f"smtp+plain://127.0.0.1:{mails.port}",
        "TONNAGE_MAIL_FROM": "console@example.com",
        "TONNAGE_PUBLIC_URL": PUBLIC_URL,
    }
    with serving(sample, tmp_path_factory.mktemp("demo"), **settings) as running:
        yield running


@pytest.fixture
def signed_out(browser: Browser, demo: Demo) -> Generator[Tab]:
    """A page without a session."""
    with browser.new_context() as context, watched(context, demo.origin) as watch:
        page = context.new_page()
        page.goto(demo.origin)
        yield Tab(page, watch)


def mail_to(mails: MailServer, email: str) -> str:
    """Waits for the only mail to that address; returns its subject and lines."""
    wait_until(lambda: any(mail["To"] == email for mail in mails.mails), f"a mail to {email}")
    (mail,) = [mail for mail in mails.mails if mail["To"] == email]
    return "\n".join([mail["Subject"], *mail.get_content().splitlines()])


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Signed out")).to_be_visible()


def set_up(page: Page, password: str) -> AuthenticatorApp:
    """From the page that offers it to the one that wants the first code."""
    page.get_by_label("Current password", exact=True).fill(password)
    page.get_by_role("button", name="Start setup").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    return AuthenticatorApp(page.get_by_label("Key", exact=True).inner_text().replace(" ", ""))


def give_code(page: Page, code: str, label: str = "Code") -> None:
    page.get_by_label(label, exact=True).fill(code)
    page.get_by_role("button", name="Sign in").click()


def expect_no_findings(page: Page, name: str) -> None:
    """Photographs a page that no link leads to; fails with its faults."""
    found = examine(page, name)
    assert not found, "\n".join(found)


def test_a_second_factor_from_its_set_up_to_a_lost_phone(signed_out: Tab, demo: Demo) -> None:
    page, watch = signed_out.page, signed_out.watch
    login = login_of(demo, "staff@partner.example.com")
    submit_password(page, login["email"], login["password"])
    page.get_by_role("link", name="Sam Partner").click()
    page.get_by_role("link", name="Two-factor authentication").click()
    watch.expect(422)
    page.get_by_label("Current password", exact=True).fill("Guessed-1-at-it")
    page.get_by_role("button", name="Start setup").click()
    expect(page.get_by_label("Current password", exact=True)).to_have_accessible_description(
        re.compile("The current password is wrong")
    )
    app = set_up(page, login["password"])
    expect_no_findings(page, "profile-second-factor-setup")
    page.get_by_label("Code", exact=True).fill(app.wrong_code())
    page.get_by_role("button", name="Confirm code").click()
    expect(page.get_by_label("Code", exact=True)).to_have_accessible_description(
        re.compile("not the code that the app shows")
    )
    page.get_by_label("Code", exact=True).fill(app.code())
    page.get_by_role("button", name="Confirm code").click()
    recovery = page.get_by_label("Recovery codes", exact=True).inner_text().split()
    assert len(recovery) == 10
    page.get_by_role("link", name="I have saved them").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")

    sign_out(page)
    submit_password(page, login["email"], login["password"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Two-factor authentication")
    expect_no_findings(page, "sign-in-code")
    give_code(page, app.previous_code())
    expect(page.get_by_label("Code", exact=True)).to_have_accessible_description(
        re.compile("The code is wrong or already used. Wait for the next one")
    )
    page.goto(f"{demo.origin}/partner/accounts")
    expect(page.get_by_role("heading", level=1)).to_have_text("Two-factor authentication")
    give_code(page, app.code())
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")

    sign_out(page)
    submit_password(page, login["email"], login["password"])
    page.get_by_role("link", name="Use a recovery code").click()
    give_code(page, recovery[3].lower().replace("-", " "), "Recovery code")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    page.goto(f"{demo.origin}/profile/second-factor")
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"Recovery codes left\s*9"))

    sign_out(page)
    submit_password(page, login["email"], login["password"])
    page.get_by_role("link", name="Use a recovery code").click()
    give_code(page, recovery[3], "Recovery code")
    expect(page.get_by_label("Recovery code", exact=True)).to_have_accessible_description(re.compile("already used"))
    expect(page.get_by_label("Recovery code", exact=True)).to_have_attribute("aria-invalid", "true")


def test_an_organisation_that_requires_a_second_factor(signed_out: Tab, demo: Demo) -> None:
    page = signed_out.page
    login = login_of(demo, "admin@other-distributor.example.net")
    submit_password(page, login["email"], login["password"])
    open_section(page, "Team")
    page.get_by_role("link", name="Require for everyone").click()
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_text(re.compile("Ada Other"))
    page.get_by_role("button", name="Require for everyone").click()
    expect(page.get_by_text("Other distributor requires two-factor authentication")).to_be_visible()
    page.goto(f"{demo.origin}/distributor/partners")
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up two-factor authentication")

    page.get_by_label("Code", exact=True).fill(set_up(page, login["password"]).code())
    page.get_by_role("button", name="Confirm code").click()
    page.get_by_role("link", name="I have saved them").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    page.goto(f"{demo.origin}/profile/second-factor")
    expect(page.get_by_text("You cannot remove it while Other distributor requires it")).to_be_visible()
    expect(page.get_by_role("link", name="Remove")).to_have_count(0)


def test_ten_wrong_passwords_and_then_not_even_the_right_one(signed_out: Tab, demo: Demo, mails: MailServer) -> None:
    page, watch = signed_out.page, signed_out.watch
    login = login_of(demo, "viewer@distributor.example.com")
    watch.expect(422, 429)
    for number in range(10):
        submit_password(page, login["email"], f"Guess-{number}-at-it")
        expect(page.get_by_role("alert")).to_have_text("The e-mail address or password is wrong.")
        expect(page.get_by_label("E-mail address")).to_have_value(login["email"])
        expect(page.get_by_label("Password", exact=True)).to_have_value("")
    submit_password(page, login["email"], login["password"])
    expect(page.get_by_role("alert")).to_have_text("Too many failed attempts. Try again in a minute.")
    assert "Too many failed sign-in attempts" in mail_to(mails, login["email"])
    # The address is not to blame for its neighbours.
    other = login_of(demo, "admin@other-partner.example.net")
    submit_password(page, other["email"], other["password"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def test_a_forgotten_password(signed_in: Enter, signed_out: Tab, demo: Demo, mails: MailServer) -> None:
    open_elsewhere = signed_in("partner", "viewer").page
    page, watch = signed_out.page, signed_out.watch
    login = demo.login("partner", "viewer")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail address").fill(login["email"])
    page.get_by_role("button", name="Send link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your e-mail")
    expect_no_findings(page, "sign-in-forgotten-asked")
    found = re.search(r"^(\S+)(/sign-in/\S+)$", mail_to(mails, login["email"]), re.MULTILINE)
    assert found
    assert found[1] == PUBLIC_URL
    link = f"{demo.origin}{found[2]}"

    watch.expect(404, 422)
    page.goto(link)
    assert page.url == f"{demo.origin}/sign-in/new-password"
    assert page.evaluate("document.cookie") == ""
    expect_no_findings(page, "sign-in-new-password")
    page.get_by_label("New password", exact=True).fill("weak")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_label("New password", exact=True)).to_have_attribute("aria-invalid", "true")
    page.go_back()
    page.get_by_label("New password", exact=True).fill("Newly-chosen-4-me")
    page.get_by_role("button", name="Set password").click()
    expect_notice(page, "Password changed, all sessions ended")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("This link no longer works")
    page.goto(f"{demo.origin}/sign-in")
    open_elsewhere.reload()
    expect(open_elsewhere.get_by_text("Your session has ended. Sign in again to continue.")).to_be_visible()

    submit_password(page, login["email"], login["password"])
    expect(page.get_by_role("alert")).to_have_text("The e-mail address or password is wrong.")
    submit_password(page, login["email"], "Newly-chosen-4-me")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    sign_out(page)
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("This link no longer works")
    expect_no_findings(page, "sign-in-new-password-used")


def expire_idle_time(demo: Demo, email: str) -> None:
    """Moves the member's last request back to 31 minutes ago."""
    with psycopg.connect(demo.settings["TONNAGE_DATABASE_URL"], autocommit=True) as conn:
        left = conn.execute(
            """
            update session set last_seen_at = last_seen_at - interval '31 minutes'
            where member_id = (select id from member where email = %s)
            """,
            (email,),
        )
        assert left.rowcount


def test_a_page_that_was_left_idle_leads_to_the_sign_in_and_back(signed_in: Enter, demo: Demo) -> None:
    page = signed_in("distributor", "staff").page
    login = demo.login("distributor", "staff")
    page.get_by_role("searchbox", name="Search by name").fill("large")
    expect(page).to_have_url(re.compile(r"q=large"))
    address = page.url
    expire_idle_time(demo, login["email"])
    page.reload()
    expect(page.get_by_text("Your session has ended. Sign in again to continue.")).to_be_visible()
    submit_password(page, login["email"], login["password"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Partners")
    assert page.url == address
    expect(page.get_by_role("rowheader")).to_have_text(re.compile("Large test partner"))

    # A fragment that is fetched after that redirects the whole page, too.
    expire_idle_time(demo, login["email"])
    page.get_by_role("searchbox", name="Search by name").fill("test")
    expect(page.get_by_text("Your session has ended. Sign in again to continue.")).to_be_visible()
    submit_password(page, login["email"], login["password"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
