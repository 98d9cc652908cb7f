"""The way in where it is more than a password, and the ways back."""

import re
from collections.abc import Generator

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Demo, Enter, Sample, Tab, serving
from tests.browser.journeys import AuthenticatorApp, give_password, go, login_of, mailbox, told, until
from tests.browser.pictures import look_at
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
    """One that sends mails, which its jobs do."""
    settings = {
        "TONNAGE_SMTP_URL": f"smtp://127.0.0.1:{mails.port}",
        "TONNAGE_MAIL_FROM": "console@example.com",
        "TONNAGE_PUBLIC_URL": PUBLIC_URL,
    }
    with serving(sample, tmp_path_factory.mktemp("demo"), **settings) as running:
        yield running


@pytest.fixture
def outside(browser: Browser, demo: Demo) -> Generator[Tab]:
    """In front of the door."""
    with browser.new_context() as context, watched(context, demo.origin) as watch:
        page = context.new_page()
        page.goto(demo.origin)
        yield Tab(page, watch)


def mail_to(mails: MailServer, email: str) -> str:
    """Subject and lines of the one mail to that address, which may still be on its way."""
    until(lambda: any(mail["To"] == email for mail in mails.mails), f"a mail to {email}")
    (mail,) = [mail for mail in mails.mails if mail["To"] == email]
    return "\n".join([mail["Subject"], *mail.get_content().splitlines()])


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def set_up(page: Page, password: str) -> AuthenticatorApp:
    """From the page that offers it to the one that wants the first code."""
    page.get_by_label("Present password", exact=True).fill(password)
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    return AuthenticatorApp(page.get_by_label("Key", exact=True).inner_text().replace(" ", ""))


def give_code(page: Page, code: str, label: str = "Code") -> None:
    page.get_by_label(label, exact=True).fill(code)
    page.get_by_role("button", name="Sign in").click()


def looks_well(page: Page, name: str) -> None:
    """A page that no link leads to: photographed here, and without fault."""
    found = look_at(page, name)
    assert not found, "\n".join(found)


def test_a_second_factor_from_its_set_up_to_a_lost_phone(outside: Tab, demo: Demo) -> None:
    page, watch = outside.page, outside.watch
    login = login_of(demo, "staff@partner.example.com")
    give_password(page, login["email"], login["password"])
    page.get_by_role("link", name="Sam Partner").click()
    page.get_by_role("link", name="Second factor").click()
    watch.expect(422)
    page.get_by_label("Present password", exact=True).fill("Guessed-1-at-it")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_label("Present password", exact=True)).to_have_accessible_description(
        re.compile("The current password is wrong")
    )
    app = set_up(page, login["password"])
    looks_well(page, "profile-second-factor-setup")
    page.get_by_label("Code", exact=True).fill(app.wrong())
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_label("Code", exact=True)).to_have_accessible_description(
        re.compile("not the code that the app shows")
    )
    page.get_by_label("Code", exact=True).fill(app.code())
    page.get_by_role("button", name="Confirm").click()
    recovery = page.get_by_label("Recovery codes", exact=True).inner_text().split()
    assert len(recovery) == 10
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Storage accounts")

    sign_out(page)
    give_password(page, login["email"], login["password"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Second factor")
    looks_well(page, "sign-in-code")
    give_code(page, app.given_before())
    expect(page.get_by_label("Code", exact=True)).to_have_accessible_description(
        re.compile("The code is wrong or already used. Wait for the next one")
    )
    page.goto(f"{demo.origin}/partner/accounts")
    expect(page.get_by_role("heading", level=1)).to_have_text("Second factor")
    give_code(page, app.code())
    expect(page.get_by_role("heading", level=1)).to_have_text("Storage accounts")

    sign_out(page)
    give_password(page, login["email"], login["password"])
    page.get_by_role("link", name="Use a recovery code").click()
    give_code(page, recovery[3].lower().replace("-", " "), "Recovery code")
    expect(page.get_by_role("heading", level=1)).to_have_text("Storage accounts")
    page.goto(f"{demo.origin}/profile/second-factor")
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"Recovery codes left\s*9"))

    sign_out(page)
    give_password(page, login["email"], login["password"])
    page.get_by_role("link", name="Use a recovery code").click()
    give_code(page, recovery[3], "Recovery code")
    expect(page.get_by_label("Recovery code", exact=True)).to_have_accessible_description(re.compile("already used"))
    expect(page.get_by_label("Recovery code", exact=True)).to_have_attribute("aria-invalid", "true")


def test_an_organisation_that_requires_a_second_factor(outside: Tab, demo: Demo) -> None:
    page = outside.page
    login = login_of(demo, "admin@other-distributor.example.net")
    give_password(page, login["email"], login["password"])
    go(page, "Team")
    page.get_by_role("link", name="Require it of everybody").click()
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_text(re.compile("Ada Other"))
    page.get_by_role("button", name="Require it of everybody").click()
    expect(page.get_by_text("Other distributor requires a second factor of everybody")).to_be_visible()
    page.goto(f"{demo.origin}/distributor/partners")
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up a second factor")

    page.get_by_label("Code", exact=True).fill(set_up(page, login["password"]).code())
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Partners")
    page.goto(f"{demo.origin}/profile/second-factor")
    expect(page.get_by_text("It cannot be removed while Other distributor requires one")).to_be_visible()
    expect(page.get_by_role("link", name="Remove")).to_have_count(0)


def test_ten_wrong_passwords_and_then_not_even_the_right_one(outside: Tab, demo: Demo, mails: MailServer) -> None:
    page, watch = outside.page, outside.watch
    login = login_of(demo, "viewer@distributor.example.com")
    watch.expect(422, 429)
    for number in range(10):
        give_password(page, login["email"], f"Guess-{number}-at-it")
        expect(page.get_by_role("alert")).to_have_text("The e-mail address or password is wrong.")
        expect(page.get_by_label("E-mail address")).to_have_value(login["email"])
        expect(page.get_by_label("Password", exact=True)).to_have_value("")
    give_password(page, login["email"], login["password"])
    expect(page.get_by_role("alert")).to_have_text("Too many failed attempts. Try again in a minute.")
    assert "Failed attempts to sign in" in mail_to(mails, login["email"])
    # The address is not to blame for its neighbours.
    other = login_of(demo, "admin@other-partner.example.net")
    give_password(page, other["email"], other["password"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Storage accounts")


def test_a_forgotten_password(signed_in: Enter, outside: Tab, demo: Demo, mails: MailServer) -> None:
    open_elsewhere = signed_in("partner", "viewer").page
    page, watch = outside.page, outside.watch
    login = demo.login("partner", "viewer")
    page.get_by_role("link", name="Forgotten the password?").click()
    page.get_by_label("E-mail address").fill(login["email"])
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    looks_well(page, "sign-in-forgotten-asked")
    found = re.search(r"^(\S+)(/sign-in/\S+)$", mail_to(mails, login["email"]), re.MULTILINE)
    assert found
    assert found[1] == PUBLIC_URL
    link = f"{demo.origin}{found[2]}"

    watch.expect(404, 422)
    page.goto(link)
    looks_well(page, "sign-in-new-password-one")
    page.get_by_label("New password", exact=True).fill("weak")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_label("New password", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("New password", exact=True).fill("Newly-chosen-4-me")
    page.get_by_role("button", name="Set the password").click()
    told(page, "The password was changed, and all sessions have ended.")
    open_elsewhere.reload()
    expect(open_elsewhere.get_by_text("Your session has ended. Sign in again to go on.")).to_be_visible()

    give_password(page, login["email"], login["password"])
    expect(page.get_by_role("alert")).to_have_text("The e-mail address or password is wrong.")
    give_password(page, login["email"], "Newly-chosen-4-me")
    expect(page.get_by_role("heading", level=1)).to_have_text("Storage accounts")
    sign_out(page)
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("This link does not work any more")


def leave_idle(demo: Demo, email: str) -> None:
    """As if the member had gone for lunch: the last page was 31 minutes ago."""
    with psycopg.connect(demo.settings["TONNAGE_DATABASE_URL"], autocommit=True) as conn:
        left = conn.execute(
            """
            update session set seen_at = seen_at - interval '31 minutes'
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
    leave_idle(demo, login["email"])
    page.reload()
    expect(page.get_by_text("Your session has ended. Sign in again to go on.")).to_be_visible()
    give_password(page, login["email"], login["password"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Partners")
    assert page.url == address
    expect(page.get_by_role("rowheader")).to_have_text(re.compile("Large test partner"))

    # A part of the page that is fetched after that takes the whole page there, too.
    leave_idle(demo, login["email"])
    page.get_by_role("searchbox", name="Search by name").fill("test")
    expect(page.get_by_text("Your session has ended. Sign in again to go on.")).to_be_visible()
    give_password(page, login["email"], login["password"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Partners")
