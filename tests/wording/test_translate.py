"""Sentences in English have their plain values; in another locale their values are formatted for it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from gettext import NullTranslations

import pytest
from pydantic import BaseModel, Field, ValidationError

from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, Count, Invalid, NotFound, Sentence
from tonnage.money import Money
from tonnage.units import Size
from tonnage.web.validation_messages import validation_error
from tonnage.wording.formatting import Formats
from tonnage.wording.translate import translate

ENGLISH = NullTranslations()
GERMAN = Formats("de_DE", "Europe/Berlin")


def test_the_english_text_has_the_values() -> None:
    error = Conflict(
        "{size} and {count} of {thing}.", ConflictCode.CONTRACT_FULL, size=Size(47 * 10**12), count=1234, thing="x"
    )
    assert str(error) == "47 TB (47000000000000 bytes) and 1234 of x."
    assert error.sentence.template == "{size} and {count} of {thing}."


def test_a_moment_is_rfc_3339_in_english_and_the_readers_on_a_page() -> None:
    error = Invalid.field("at", "not before {at}", at=datetime(2026, 11, 24, 16, 5, tzinfo=UTC))
    assert str(error) == "at: not before 2026-11-24T16:05:00Z"
    assert error.fields[0].message == "not before 2026-11-24T16:05:00Z"
    assert translate(error, ENGLISH, GERMAN) == "at: not before 24.11.2026, 17:05 CET"


@pytest.mark.parametrize("data", ["{", "}", "{0}", "{name}", "{x.__class__}", "%(x)s", "%"])
def test_braces_in_data_are_data(data: str) -> None:
    with_values = NotFound("There is no {name}.", name=data)
    assert str(with_values) == translate(with_values, ENGLISH, GERMAN) == f"There is no {data}."
    without = NotFound(f"There is no {data}.")
    assert str(without) == translate(without, ENGLISH, GERMAN) == f"There is no {data}."
    assert translate(data, ENGLISH, GERMAN) == data


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Size(0), "0 bytes"),
        (Size(1), "1 byte"),
        (Size(5 * 10**12), "5\u202fTB"),
        (Size(1_234_567_000), "1,23\u202fGB (1.234.567.000 bytes)"),
        (Size(2**63 - 1), "9,22\u202fEB (9.223.372.036.854.775.807 bytes)"),
        (1234, "1.234"),
        (Money(Decimal("1081.29"), "EUR"), "1.081,29\N{NO-BREAK SPACE}€"),
        (Money(Decimal("81.295"), "EUR"), "81,295\N{NO-BREAK SPACE}€"),
        ("1234", "1234"),
        (date(2026, 11, 24), "24.11.2026"),
        (Count("{count} key", "{count} keys", 1), "1 key"),
        (Sentence("{n} TB", n=1234), "1.234 TB"),
    ],
)
def test_values(value: object, said: str) -> None:
    assert translate(Sentence("{value}", value=value), ENGLISH, GERMAN) == said


def test_an_empty_text_is_empty() -> None:
    assert translate("", ENGLISH, GERMAN) == ""


class _Model(BaseModel):
    name: str = Field(max_length=2000)


def test_pydantics_errors_keep_their_values() -> None:
    with pytest.raises(ValidationError) as raised:
        _Model.model_validate({"name": "x" * 2001})
    found = validation_error([{**one, "loc": ("body", *one["loc"])} for one in raised.value.errors()])
    assert str(found) == "name: must have at most 2000 characters"
    assert translate(found.fields[0].message, ENGLISH, GERMAN) == "must have at most 2.000 characters"
    assert translate(found, ENGLISH, GERMAN) == "name: must have at most 2.000 characters"
