"""Which parts of the web layer a package may use."""

import re
from collections.abc import Iterable
from pathlib import Path

from tests.house.tree import by_name, modules, show
from tests.source import FILES, SOURCE

_EMAIL_FIELD = re.compile(r"""\btype\s*=\s*["']?email\b""")
_NUMBER_FIELD = re.compile(r"""\btype\s*=\s*["']?(?:number|range)\b|valueAsNumber""")


def test_features_know_no_urls_of_lists() -> None:
    """Their SQL of paging comes from tonnage.lists; the list state in a URL is read by pages."""
    assert "tonnage.web.list_state" in by_name()
    show(
        [
            f"{module.where}:{line}: only pages read the state of a list from a URL"
            for module in modules()
            for line, name in module.imports
            if name == "tonnage.web.list_state" and module.package not in {"console", "web"}
        ]
    )


def test_numbers_are_typed_as_text() -> None:
    """Of type=number, browsers drop what their own locale does not have: a German 1,5 was sent as 15."""
    templates = sorted((SOURCE / "console").rglob("*.html"))
    scripts = sorted((SOURCE / "console/assets").glob("*.js"))
    assert templates
    assert scripts
    show(_matching(_NUMBER_FIELD, (*templates, *scripts), "a number is a text field, which web/number_text.py reads"))


def test_email_addresses_are_typed_as_text() -> None:
    """Of type=email, Chromium refuses `zoë@example.com`, and sends an international domain as punycode."""
    templates = sorted((SOURCE / "console").rglob("*.html"))
    assert any('inputmode="email"' in path.read_text() for path in templates)
    show(_matching(_EMAIL_FIELD, templates, "an e-mail address is a text field with inputmode=email"))


def _matching(pattern: re.Pattern[str], paths: Iterable[Path], complaint: str) -> list[str]:
    return [
        f"{path.relative_to(SOURCE)}:{line}: {complaint}"
        for path in paths
        for line, text in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(text)
    ]


def test_arguments_of_pages_are_solved_by_fastapi() -> None:
    using = {path.relative_to(SOURCE).parts[0] for path in FILES if "ApiRoute" in path.read_text()}
    assert "console" not in using
    plain = {path.relative_to(SOURCE).parts[0] for path in FILES if "route_class=AuthFirstRoute" in path.read_text()}
    assert plain == {"console"}
