"""Which locales and time zones a member can choose, and which of them a browser asks for."""

import re
from datetime import UTC, tzinfo
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from babel import Locale, UnknownLocaleError, localedata
from babel.core import get_global
from babel.languages import get_official_languages

from tonnage.names import name_key

DEFAULT_LOCALE = "en_GB"
"""Of a member who has chosen none, and whose browser asks for nothing that we have."""

_NAME = re.compile(r"(?P<language>[a-z]{2,3})(?:_(?P<script>[A-Z][a-z]{3}))?_(?P<territory>[A-Z]{2})", re.ASCII)
# Where two scripts of a language are read today; Babel also has Shavian English and the like.
_SCRIPTS = frozenset({"az_Latn", "bs_Latn", "sr_Cyrl", "sr_Latn", "uz_Latn", "zh_Hans", "zh_Hant"})

_WISH = re.compile(
    r"\s*(?P<language>[a-z]{2,3})(?:-(?P<script>[a-z]{4}))?(?:-(?P<territory>[a-z]{2}))?\s*"
    r"(?:;\s*q=(?P<quality>[01](?:\.\d{0,3})?)\s*)?",
    re.IGNORECASE | re.ASCII,
)
_LONGEST_HEADER = 500
"""Characters of Accept-Language that are looked at; browsers send under 100."""


@lru_cache(maxsize=8)
def locales(language: str) -> dict[str, str]:
    """Every locale that can be chosen, and its name in that language, in order of the names."""
    names = {name: Locale.parse(name).get_display_name(language) or name for name in _names()}
    return dict(sorted(names.items(), key=lambda item: (name_key(item[1]), item)))


@lru_cache
def time_zones() -> tuple[str, ...]:
    """The time zones for a picker, UTC first: one for each part of a country with a history of its own.

    There are others, such as the old names that browsers report ("Asia/Calcutta"); `time_zone_name` takes them too.
    """
    table = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    listed = {line.split("\t")[2] for line in table.splitlines() if not line.startswith("#")}
    return "UTC", *sorted(listed & available_timezones())


def locale_name(text: str) -> str:
    """The text itself. Raises ValueError where it is none of `locales`."""
    if text not in _names():
        raise ValueError("is not a known region; choose one from the list")
    return text


def time_zone_name(text: str) -> str:
    """The text itself. Raises ValueError where it is no time zone."""
    if text not in _zones():
        raise ValueError("is not a known time zone; choose one from the list")
    return text


def negotiate(accept_language: str | None) -> str:
    """The first locale of the header that we have; a language alone means its most usual territory.

    Any Accept-Language gives a locale: unreadable parts are ignored.
    """
    wishes: list[tuple[float, str]] = []
    for part in (accept_language or "")[:_LONGEST_HEADER].split(","):
        wish = _WISH.fullmatch(part)
        name = _accepted(wish) if wish else None
        if wish and name:
            wishes.append((float(wish["quality"] or 1), name))
    quality, name = max(wishes, key=lambda wish: wish[0], default=(0.0, DEFAULT_LOCALE))
    return name if quality else DEFAULT_LOCALE


@lru_cache(maxsize=512)
def babel_locale(name: str) -> Locale:
    """Never an error: a name that Babel does not know any more reads as the default."""
    try:
        return Locale.parse(name)
    except (ValueError, UnknownLocaleError):
        return Locale.parse(DEFAULT_LOCALE)


def time_zone(name: str) -> tzinfo:
    """Never an error: a name that this machine does not know reads as UTC."""
    try:
        return ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return UTC


def _accepted(wish: re.Match[str]) -> str | None:
    said = wish["language"].lower()
    language = get_global("language_aliases").get(said, said)  # "no" is "nb", "iw" is "he"
    script = (wish["script"] or "").title()
    likely = get_global("likely_subtags")
    asked = (wish["territory"] or "").upper()
    usual = likely.get(f"{language}_{asked}") or likely.get(language, "")
    territory = asked or usual[-2:]
    names = (f"{language}_{script}_{territory}", f"{language}_{territory}", f"{usual[:-2]}{territory}", usual)
    return next((name for name in names if name in _names()), None)


@lru_cache
def _names() -> frozenset[str]:
    return frozenset(name for name in localedata.locale_identifiers() if _is_read(name))


def _is_read(name: str) -> bool:
    """Whether the language is an official one of the territory, in a script that is read there."""
    match = _NAME.fullmatch(name)
    if match is None:
        return False
    language, script, territory = match.groups()
    written = f"{language}_{script}" if script else language
    official = get_official_languages(territory, regional=True, de_facto=True)
    return (script is None or written in _SCRIPTS) and (language in official or written in official)


@lru_cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"Factory", "localtime"})
