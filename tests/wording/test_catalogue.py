"""Every text on a page comes from a catalogue: the whole process with a language made for the test."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from tests.messages import misplaced, template
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, Count
from tonnage.units import Size
from tonnage.wording import catalogue
from tonnage.wording.catalogue import language_of, languages, translations_of
from tonnage.wording.formatting import Formats
from tonnage.wording.translate import translate

PSEUDO = "de"


def _bracketed(texts: str | tuple[str, ...] | list[str]) -> str | tuple[str, ...]:
    return f"[{texts}]" if isinstance(texts, str) else tuple(f"[{text}]" for text in texts)


@pytest.fixture
def pseudo_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalog]:
    """A language that has every text of the template, in brackets."""
    translated = read_po(BytesIO(template()), locale=PSEUDO)
    for message in translated:
        if message.id:
            message.string = _bracketed(message.id)
    file = tmp_path / PSEUDO / "LC_MESSAGES" / "console.po"
    file.parent.mkdir(parents=True)
    with file.open("wb") as opened:
        write_po(opened, translated)
    monkeypatch.setattr(catalogue, "LOCALE", tmp_path)
    for cached in (translations_of, language_of):
        cached.cache_clear()
    yield translated
    for cached in (translations_of, language_of):
        cached.cache_clear()


def test_the_language_is_found(pseudo_language: Catalog) -> None:
    assert languages() == ("en", PSEUDO)
    assert language_of("de_CH") == PSEUDO
    assert language_of("fr_FR") == "en"


def test_texts_of_pages_and_of_programs_are_translated(pseudo_language: Catalog) -> None:
    gettext = translations_of(PSEUDO).gettext
    for text in (
        "Create partner",  # a template
        "Storage accounts",  # N_
        "must not be null",  # a rule of a payload
        "is required",  # one of pydantic's
        "The other contract has another currency. Move the partner to a contract in its own currency.",
        "must not be earlier than {earliest}",  # Invalid.field
    ):
        assert gettext(text) == f"[{text}]"


def test_a_refusal_is_translated_with_its_values(pseudo_language: Catalog) -> None:
    error = Conflict(
        "Not enough capacity: the contract has {remaining} left for this partner, {requested} asked. Ask for "
        "less, or have the contract amended.",
        ConflictCode.CONTRACT_FULL,
        remaining=Size(1_500_000_000_000),
        requested=Size(2_000_000_000_001),
    )
    assert translate(error, translations_of(PSEUDO), Formats("de_DE", "UTC")) == (
        "[Not enough capacity: the contract has 1,5\u202fTB left for this partner, 2\u202fTB "
        "([2.000.000.000.001 bytes]) asked. Ask for less, or have the contract amended.]"
    )


@pytest.mark.parametrize(("count", "said"), [(1, "[1 storage account]"), (2000, "[2.000 storage accounts]")])
def test_a_count_is_translated(pseudo_language: Catalog, count: int, said: str) -> None:
    error = Conflict(
        "{accounts}",
        ConflictCode.PARTNER_NOT_EMPTY,
        accounts=Count("{count} storage account", "{count} storage accounts", count),
    )
    assert translate(error, translations_of(PSEUDO), Formats("de_DE", "UTC")) == said


def test_english_needs_no_catalogue() -> None:
    assert languages()[0] == "en"
    assert translations_of("en").gettext("Create partner") == "Create partner"


def test_a_translation_with_other_placeholders_is_found() -> None:
    translated = Catalog(locale=PSEUDO)
    translated.add("{count} key", "{count} Schlüssel")
    translated.add("There is no contract {contract}.", "Kein Vertrag {vertrag}.")
    translated.add(("{count} account", "{count} accounts"), ("ein Konto", "{anzahl} Konten"))
    found = misplaced(translated)
    assert len(found) == 2
    assert "{contract}" in found[0]
    assert "account" in found[1]
