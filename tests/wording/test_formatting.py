"""Formatted values in every locale that a member can choose."""

import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tonnage.money import Money
from tonnage.wording.choices import DEFAULT_LOCALE, locale_name, locales, negotiate, time_zone_name, time_zones
from tonnage.wording.formatting import Formats

NOW = datetime(2026, 11, 24, 16, 5, 3, tzinfo=UTC)
BRITISH = Formats("en_GB", "Europe/Berlin")
GERMAN = Formats("de_DE", "Europe/Berlin")


@pytest.mark.parametrize(
    ("size", "british", "german"),
    [
        (0, "0\u202fB", "0\u202fB"),
        (999, "999\u202fB", "999\u202fB"),
        (1_320_000_000_000, "1.32\u202fTB", "1,32\u202fTB"),
        (1_999_999_999_999, "1.99\u202fTB", "1,99\u202fTB"),
        (Decimal("1e22"), "10,000\u202fEB", "10.000\u202fEB"),
    ],
)
def test_sizes_are_cut(size: int | Decimal, british: str, german: str) -> None:
    assert (BRITISH.size(size), GERMAN.size(size)) == (british, german)


def test_exact_sizes() -> None:
    assert BRITISH.exact_size(1_320_000_000_000) == "1,320,000,000,000 bytes"
    assert BRITISH.exact_size(1) == "1 byte"
    assert GERMAN.exact_size(1_320_000_000_000) == "1.320.000.000.000 bytes"


def test_percents_are_cut() -> None:
    shown = [BRITISH.percent(Decimal(text)) for text in ("0", "0.123", "0.9999", "1", "12.5")]
    assert shown == ["0%", "12.3%", "99.9%", "100%", "1,250%"]
    assert GERMAN.percent(0.1239) == "12,3\u00a0%"


def test_money() -> None:
    shown = {
        ("12.345", "EUR"): ("€12.35", "€12.345", "12,35\u00a0€"),
        ("-2.675", "EUR"): ("-€2.68", "-€2.675", "-2,68\u00a0€"),
        ("1", "EUR"): ("€1.00", "€1.00", "1,00\u00a0€"),
        ("1935.4", "JPY"): ("JP¥1,935", "JP¥1,935.4", "1.935\u00a0¥"),
        ("1935", "JPY"): ("JP¥1,935", "JP¥1,935", "1.935\u00a0¥"),
        ("1.2345", "KWD"): ("KWD1.235", "KWD1.2345", "1,235\u00a0KWD"),
        ("0", "KWD"): ("KWD0.000", "KWD0.000", "0,000\u00a0KWD"),
    }
    for (amount, currency), texts in shown.items():
        money = Money(Decimal(amount), currency)
        assert (BRITISH.money(money), BRITISH.exact_money(money), GERMAN.money(money)) == texts
    assert BRITISH.exact_money(Money(Decimal("1" * 30 + ".115"), "EUR")).endswith("111.115")


def test_prices() -> None:
    assert [BRITISH.price(Decimal(text)) for text in ("100", "100.00", "0.5", "1000")] == ["100", "100", "0.5", "1,000"]


def test_days_and_moments() -> None:
    assert BRITISH.day(date(2026, 11, 24)) == "24 Nov 2026"
    assert BRITISH.month(date(2026, 11, 24)) == "November 2026"
    assert BRITISH.moment(NOW) == "24 Nov 2026, 17:05"
    assert BRITISH.zone_of(NOW) == "CET"
    assert BRITISH.exact_moment(NOW) == "2026-11-24T16:05:03Z"
    assert Formats("en_US", "Asia/Kathmandu").moment(NOW) == "Nov 24, 2026, 9:50\u202fPM"


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(0), "1 second ago"),
        (timedelta(minutes=3), "3 minutes ago"),
        (timedelta(minutes=-3), "in 3 minutes"),
        (timedelta(days=40), "1 month ago"),
    ],
)
def test_ago_is_in_the_language_of_the_page(passed: timedelta, said: str) -> None:
    assert GERMAN.ago(NOW - passed, NOW) == said


@pytest.mark.parametrize("locale", locales("en"))
def test_every_locale_can_write_everything(locale: str) -> None:
    formats = Formats(locale, "Asia/Kathmandu")
    written = [
        *(formats.number(-1234567), formats.size(10**13), formats.exact_size(2), formats.percent(1.5)),
        *(formats.money(Money(Decimal("0.03"), "EUR")), formats.day(NOW.date()), formats.month(NOW.date())),
        *(formats.moment(NOW), formats.ago(NOW, NOW)),
    ]
    assert all(written)
    assert locale_name(locale) == locale


@pytest.mark.parametrize(
    ("locale", "zone"), [("xx", "Nowhere/Land"), ("", ""), ("../etc", "../../etc/passwd"), ("\0", "\0")]
)
def test_unknown_locales_are_formatted_as_the_default(locale: str, zone: str) -> None:
    assert Formats(locale, zone).moment(NOW) == Formats(DEFAULT_LOCALE, "UTC").moment(NOW)
    with pytest.raises(ValueError, match="not a known region"):
        locale_name(locale)
    with pytest.raises(ValueError, match="not a known time zone"):
        time_zone_name(zone)


def test_time_zones() -> None:
    assert time_zones()[0] == "UTC"
    assert {"Europe/Berlin", "Asia/Kolkata", "America/New_York"} < set(time_zones())
    assert not {"localtime", "Factory", "Asia/Calcutta"} & set(time_zones())
    for name in (*time_zones(), "Asia/Calcutta"):
        assert time_zone_name(name) == name


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        (None, DEFAULT_LOCALE),
        ("", DEFAULT_LOCALE),
        ("*", DEFAULT_LOCALE),
        ("de", "de_DE"),
        ("de-AT,en;q=0.5", "de_AT"),
        ("en;q=0.5, DE-at ; q=0.7", "de_AT"),
        ("xx,fr;q=0.2", "fr_FR"),
        ("fr;q=0", DEFAULT_LOCALE),
        ("zh-TW", "zh_Hant_TW"),
        ("zh", "zh_Hans_CN"),
        ("sr-Latn", "sr_Latn_RS"),
        ("nb", "nb_NO"),
        ("iw", "he_IL"),
        ("de;q=9,\0,;;;,q=,-", DEFAULT_LOCALE),
        ("\0" * 10_000, DEFAULT_LOCALE),
        ("x," * 10_000 + "de", DEFAULT_LOCALE),
    ],
)
def test_the_accept_language_header(header: str | None, locale: str) -> None:
    assert negotiate(header) == locale


def test_a_page_full_of_values_is_quick() -> None:
    GERMAN.size(1)
    begun = time.process_time()
    for number in range(500):
        GERMAN.size(number * 10**10)
    # Measured: 5 ms. The bound leaves room for a busy machine, and none for patterns parsed anew each time.
    assert time.process_time() - begun < 0.05
