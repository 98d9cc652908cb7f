"""Errors and requests of a browser context during a test."""

import re
from collections.abc import Generator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

_BREACHES = """document.addEventListener("securitypolicyviolation", (event) => {
    console.error(`content policy: ${event.effectiveDirective} forbids ${event.blockedURI} ${event.sample}`);
});"""

_REFUSED = re.compile(r"the server responded with a status of (\d+)")


class Watch:
    """Errors and warnings of the console, uncaught exceptions, policy violations, and cross-origin requests."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self._origin = f"{origin}/"
        self._expected: set[int] = set()
        context.add_init_script(_BREACHES)
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("request", self._on_request)

    def expect(self, *statuses: int) -> None:
        """Chromium logs any error response; these statuses are intended."""
        self._expected.update(statuses)

    def check(self) -> None:
        """Fails if there was a complaint so far."""
        found = [*self.complaints, *(f"asked for {url}" for url in self.elsewhere)]
        assert not found, "\n".join(found)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        refused = _REFUSED.search(message.text)
        if not refused or int(refused[1]) not in self._expected:
            self.complaints.append(f"{message.text} ({message.location['url']})")

    def _on_error(self, error: WebError) -> None:
        self.complaints.append(str(error.error))

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self._origin, "data:", "blob:")):
            self.elsewhere.append(request.url)


@contextmanager
def watched(context: BrowserContext, origin: str) -> Generator[Watch]:
    """Checks at the end, unless the test itself has failed."""
    watch = Watch(context, origin)
    yield watch
    watch.check()
