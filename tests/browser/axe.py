"""axe-core on a page: WCAG 2.2 AA and axe's best practices."""

from typing import Any, cast

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_OPTIONS = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": _TAGS}}
_AXE: Any = Axe()  # its types name a module that does not exist


def findings(page: Page) -> list[str]:
    """A line per element that breaks a rule: the rule, the element, and the remedy."""
    violations = cast("list[dict[str, Any]]", _AXE.run(page, options=_OPTIONS).response["violations"])
    return [
        f"{violation['id']}: {' '.join(map(str, node['target']))}\n  {node['html']}\n  {node['failureSummary']}"
        for violation in violations
        for node in violation["nodes"]
    ]


def check(page: Page) -> None:
    """Fails with all findings."""
    found = findings(page)
    assert not found, f"{page.url}\n" + "\n".join(found)
