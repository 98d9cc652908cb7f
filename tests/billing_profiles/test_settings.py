"""Settings of sellers, and the formats of document numbers."""

import pytest

from tonnage.billing_profiles.document_number import DocumentNumberFormat
from tonnage.billing_profiles.settings import SETTINGS, SellerSettings, changed, read_settings
from tonnage.errors import Invalid


@pytest.mark.parametrize(("text", "number"), [
    ("INV-{year}-{number:05}", "INV-2026-00042"),
    ("{number}", "42"),
    ("{year}/{number:3}", "2026/042"),
    ("S {number:012}", "S 000000000042"),
    ("{number:1}", "42"),
])  # fmt: skip
def test_numbers_are_written(text: str, number: str) -> None:
    found = DocumentNumberFormat.read(text)
    assert found.written(2026, 42) == number
    assert found.has_year is ("{year}" in text)


def test_a_number_longer_than_its_width_is_whole() -> None:
    assert DocumentNumberFormat.read("{number:02}").written(2026, 12345) == "12345"


@pytest.mark.parametrize("text", [
    "", "INV", "{year}", "{number}{number}", "{year}-{year}-{number}", "{number.__class__}", "{number!r}", "{0}",
    "{number:5d}", "{number:013}", "{number:>99999999}", "{number:{year}}", "{{number}}", "{ number }", "%d",
    "{month}-{number}", "ä{number}", "{number}\n", "\0{number}", "a" * 40 + "{number}", " {number}", "{number} ",
    # Without a sign between them, 1 of 11 and 11 of 1 would be one number.
    "{year}{number}", "{number}{year}", "1{number}", "{number}1",
])  # fmt: skip
def test_what_is_no_format(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        DocumentNumberFormat.read(text)


def test_the_defaults_are_valid_and_every_field_has_a_rule() -> None:
    defaults = SellerSettings()
    assert read_settings({}) == read_settings(defaults.as_document()) == defaults
    assert set(SETTINGS.values()) == defaults.as_document().keys()


def test_all_wrong_fields_are_named_at_once() -> None:
    wrong = {
        "document": "receipt", "locale": "german", "colour": "red; color: blue", "footer": "a\0b", "freezeDay": 29,
        "numberFormat": "{number.__class__}", "numberStart": 0, "smallBusiness": "yes", "retentionYears": True,
        "negativeTotal": "paid",
    }  # fmt: skip
    with pytest.raises(Invalid) as refused:
        read_settings(wrong)
    assert {field.field for field in refused.value.fields} == wrong.keys()


def test_texts_are_stored_in_one_form() -> None:
    found = read_settings({"footer": " One \r\n\r\nTwo\n", "colour": " #ABCDEF"})
    assert (found.footer, found.colour) == ("One\n\nTwo", "#abcdef")
    assert changed(found, {"freeze_day": 28}).freeze_day == 28
    with pytest.raises(Invalid, match="at most 1000"):
        read_settings({"footer": "x" * 1001})
