"""A page in two widths and two themes: what is wrong with it, and on request a picture of each."""

import itertools
import os
from pathlib import Path

from playwright.sync_api import Page

from tests.browser import axe

_WIDTHS = (390, 1440)
_THEMES = ("light", "dark")
"""They differ in colours only, which test_browser_checks.py verifies."""

PICTURES = os.environ.get("TONNAGE_PICTURES")
"""The folder of the pictures, for review: NAME-WIDTH-THEME.png. Without one none are taken, which saves a third of the
time."""

# Bytes on the wire, also of what this context has cached.
_BYTES = """["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
    .reduce((sum, entry) => sum + entry.encodedBodySize, 0)"""
_MOST_BYTES = 100_000
_MOST_BYTES_WITH_A_CHART = 200_000

_TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def examine(page: Page, name: str, folder: Path | None = Path(PICTURES) if PICTURES else None) -> list[str]:
    """What is wrong with the open page: axe's findings, the widths at which it overflows its window, and whether it is
    too heavy for a browser with an empty cache.

    With a folder, also photographs the whole page.
    """
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    found: list[str] = []
    weight = page.evaluate(_BYTES)
    if weight > (_MOST_BYTES_WITH_A_CHART if page.locator("figure.chart").count() else _MOST_BYTES):
        found.append(f"{name}: {weight} bytes to load it")
    for width, theme in itertools.product(_WIDTHS, _THEMES):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        # Charts follow both in the next frame.
        page.evaluate("new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)))")
        if folder:
            page.screenshot(path=folder / f"{name}-{width}-{theme}.png", full_page=True)
        if page.evaluate(_TOO_WIDE):
            found.append(f"{name} at {width}: wider than the window")
        found += [
            f"{name} at {width}, {theme}: {line}" for line in axe.findings(page, only_colours=theme != _THEMES[0])
        ]
    return found
