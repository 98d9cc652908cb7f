"""Steps of several journeys: signing in, polling, reading mail, keyboard navigation."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Locator, Page, expect
from pyotp.totp import TOTP

from tests.browser.conftest import Demo
from tests.smtp import MailServer, mail_server


def wait_until(condition: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Polls a condition that the browser cannot wait for."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def submit_password(page: Page, email: str, password: str) -> None:
    """Fills in and sends the form of /sign-in, which must be open."""
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def login_of(demo: Demo, email: str) -> dict[str, str]:
    """The sample member with that address."""
    return next(member for member in demo.members if member["email"] == email)


def open_section(page: Page, entry: str) -> None:
    """Follows a link of the main navigation."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name=entry, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(entry)


def expect_notice(page: Page, notice: str) -> None:
    """Waits for the notice of a completed action."""
    expect(page.get_by_role("main").get_by_role("status").filter(has_text=notice)).to_be_visible()


def tab_to(page: Page, target: Locator, *, backwards: bool = False, most: int = 60) -> None:
    """Presses Tab until the element has the focus."""
    expect(target).to_have_count(1)
    for _ in range(most):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"not reached with {most} presses of Tab: {target}")


class AuthenticatorApp:
    """Returns each code once. A server accepts those of the present 30 seconds and of the next: two at once,
    so no test waits.
    """

    def __init__(self, seed: str) -> None:
        self._totp = TOTP(seed)
        self._given = 0

    def code(self) -> str:
        """The first code that was not returned yet."""
        now = int(time.time()) // 30
        self._given = max(now, self._given + 1)
        assert self._given <= now + 1, "a third code would have to be waited for"
        return self._totp.generate_otp(self._given)

    def previous_code(self) -> str:
        """The code that was returned last."""
        return self._totp.generate_otp(self._given)

    def wrong_code(self) -> str:
        """The code of another hour."""
        return self._totp.generate_otp(self._given + 120)


@contextmanager
def mailbox() -> Generator[MailServer]:
    """A mail server. Its event loop has a thread of its own: the browser's driver occupies this one."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(mail_server()) as server:
        yield server
