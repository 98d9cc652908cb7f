"""axe-core on a page: WCAG 2.2 AA and axe's best practices."""

from typing import Any, cast

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_EVERY_RULE = {"runOnly": {"type": "tag", "values": _TAGS}}
_RULES_OF_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
_AXE: Any = Axe()  # its types name a module that does not exist

# Half a megabyte of script, which takes as long to read as a page to check: once a document.
_IS_THERE = "typeof axe === 'object'"
_RUN = "async (options) => (await axe.run(document, {resultTypes: ['violations'], ...options})).violations"


def findings(page: Page, *, only_colours: bool = False) -> list[str]:
    """A line per element that breaks a rule: the rule, the element, and the remedy.

    `only_colours` is enough for another theme of the same page.
    """
    if not page.evaluate(_IS_THERE):
        page.evaluate(_AXE.axe_script)
    options = _RULES_OF_COLOURS if only_colours else _EVERY_RULE
    return [
        f"{violation['id']}: {' '.join(map(str, node['target']))}\n  {node['html']}\n  {node['failureSummary']}"
        for violation in cast("list[dict[str, Any]]", page.evaluate(_RUN, options))
        for node in violation["nodes"]
    ]


def check(page: Page) -> None:
    """Fails with all findings."""
    found = findings(page)
    assert not found, f"{page.url}\n" + "\n".join(found)
