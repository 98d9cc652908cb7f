"""The key of names: names that read alike have the same key, and a key is its own key."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.names import LONGEST_KEY, name_key

SPACES = [chr(code) for code in range(0x110000) if chr(code).isspace()]

NAMES = st.text(st.characters(codec="utf-8"), max_size=200)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Łódź", "lodz"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        ("STRAẞE", "strasse"),
        ("Ærø", "aero"),
        ("Œuvre", "oeuvre"),
        ("ïstanbul", "istanbul"),
        ("İstanbul", "istanbul"),
        ("ISTANBUL", "istanbul"),
        ("ıstanbul", "istanbul"),
        ("Đorđe", "dorde"),
        ("Þórður", "thordur"),
        ("Ħal Ŧ", "hal t"),
        ("Ångström", "angstrom"),
        ("Å", "a"),  # the unit
        ("Việt Nam", "viet nam"),
        ("e\u0301", "e"),
        ("\u00e9", "e"),
        ("ﬁnance ①② Ｆｕｌｌ", "finance 12 full"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("σίσυφος", "σισυφοσ"),
        ("Ёлка Й", "елка и"),
        ("  two   words ", "two words"),
        ("no\u00a0break \u2003 em\u3000wide\u2028line", "no break em wide line"),
        ("Hill 100%_\\", "hill 100%_\\"),
        ("ship 🚢 GmbH", "ship 🚢 gmbh"),
        ("\u2764\ufe0f", "\u2764"),
        ("👨\u200d👩", "👨👩"),
        ("שָׁלוֹם", "שלום"),
        ("\u202eevil\u202c", "evil"),
        ("so\u00adft zero\u200bwidth", "soft zerowidth"),
        ("", ""),
        ("\u0301", ""),
    ],
)
def test_what_reads_alike_has_one_key(name: str, key: str) -> None:
    assert name_key(name) == key


def test_every_letter_has_a_key_that_is_its_own_key() -> None:
    for code in [*range(0xD800), *range(0xE000, 0x110000)]:
        key = name_key(f"x{chr(code)}y")
        assert name_key(key) == key, hex(code)


def test_every_space_is_one_space() -> None:
    assert len(SPACES) > 20
    assert {name_key(f"a{space}b") for space in SPACES} == {"a b"}


@given(NAMES)
def test_a_key_is_its_own_key(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


@given(NAMES)
def test_normal_forms_and_case_make_no_difference(name: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert name_key(unicodedata.normalize(form, name)) == name_key(name)
    assert name_key(name.casefold()) == name_key(name)


@given(NAMES, NAMES, NAMES)
def test_what_a_name_contains_its_key_contains(before: str, word: str, after: str) -> None:
    assert name_key(word) in name_key(f"{before[:60]}{word[:60]}{after[:60]}") or len(word) > 60 or _is_cut(word)


def _is_cut(word: str) -> bool:
    return len(name_key(word)) > LONGEST_KEY / 3


def test_hostile_names_stay_small() -> None:
    assert name_key("a" + "\u0301\u0327" * 100) == "a"
    for letter in ("\ufdfa", "\U00010348", "각", "🚢"):
        key = name_key(letter * 200)
        assert 0 < len(key) <= LONGEST_KEY
        assert len(key.encode()) < 2600  # of 2704 that fit into an index entry
        assert name_key(key) == key
    assert len(name_key("각" * 200)) == 600  # whole: three signs for each syllable


def test_letters_in_order() -> None:
    names = ["Zoë", "Łódź", "ærø", "Österreich", "apple", "Ábel", "øre", "lo", "M"]
    assert sorted(names, key=name_key) == ["Ábel", "ærø", "apple", "lo", "Łódź", "M", "øre", "Österreich", "Zoë"]
