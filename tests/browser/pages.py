"""All pages, from the application's own routes, and their addresses, found by following links."""

import html
import re
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from playwright.sync_api import Page

_LINK = re.compile(r'<a\b[^>]*\bhref="(/[^"#?]*)')
_PARAMETER = re.compile(r"\{\w+\}")
_FILES = (".csv", ".pdf")

_MOST_VISITS = 20
"""The most pages visited per template: an action that one resource allows may be impossible for another."""


def templates(app: FastAPI) -> list[str]:
    """The paths of all pages of the console, parameters in braces."""
    return sorted(
        context.path
        for context in iter_route_contexts(app.routes)
        if context.path and "GET" in (context.methods or ()) and _is_page(context.path, context.endpoint)
    )


def _is_page(path: str, endpoint: object) -> bool:
    module = getattr(endpoint, "__module__", "")
    return module.startswith("tonnage.console.") and not path.endswith(_FILES)


def picture_name(template: str) -> str:
    """The name of its pictures: `distributor-partners-one-members` is /distributor/partners/{partner_id}/members."""
    return _PARAMETER.sub("one", template).strip("/").replace("/", "-") or "start"


@dataclass(frozen=True)
class SiteMap:
    """An address for each template, and the links that lead nowhere."""

    found: dict[str, str]
    broken_links: list[str]


def crawl(page: Page, known: Iterable[str], start: str = "/") -> SiteMap:
    """Follows the links from `start` on, in the session of `page`, which must be on a page of the console."""
    # The template with fewer parameters goes first where both match: /partners/new is no partner.
    patterns = [(template, _pattern(template)) for template in sorted(known, key=lambda path: (path.count("{"), path))]
    visits = Counter[str]()
    found: dict[str, str] = {}
    broken_links: list[str] = []
    seen = {start}
    waiting: deque[tuple[str, str]] = deque([(start, start)])
    while waiting:
        path, source = waiting.popleft()
        template = next((template for template, pattern in patterns if pattern.fullmatch(path)), None)
        if path.endswith(_FILES) or visits[template or path] >= _MOST_VISITS:
            continue
        visits[template or path] += 1
        status, address, text = cast("tuple[int, str, str]", page.evaluate(_FETCH, path))
        if status != 200:
            broken_links.append(f"{source} has a link to {path}, which answers {status}")
            continue
        if template and urlsplit(address).path == path:  # a redirect leads to another page
            found.setdefault(template, path)
        for link in map(html.unescape, _LINK.findall(text)):
            if link not in seen:
                seen.add(link)
                waiting.append((link, path))
    return SiteMap(found, broken_links)


_FETCH = """async (path) => {
    const answer = await fetch(path);
    return [answer.status, answer.url, await answer.text()];
}"""


def _pattern(template: str) -> re.Pattern[str]:
    literals = _PARAMETER.split(template)
    return re.compile("[^/]+".join(map(re.escape, literals)))
