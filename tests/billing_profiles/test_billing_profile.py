"""A billing profile as a whole: what is required, what is refused, and that all fields are named at once."""

from typing import Any

import pytest

from tests.billing_profiles.profiles import PROFILE
from tonnage.billing_profiles.billing_profile import BillingProfile, changed, changed_facts, read_profile
from tonnage.error_codes import RequestCode
from tonnage.errors import Invalid


def refused(document: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as error:
        read_profile(document)
    return {wrong.field: wrong.message for wrong in error.value.fields}


def test_a_whole_one_is_stored_in_its_form() -> None:
    sent = {
        **PROFILE,
        "vatId": "de 136 695 976",
        "iban": "DE89 3704 0044 0532 0130 00",
        "country": "de",
        "city": " Hamburg ",
    }
    profile = read_profile({**sent, "unknown": 1})
    assert profile.as_document() == PROFILE
    assert BillingProfile.of(profile.as_document()) == profile
    assert BillingProfile.of({**PROFILE, "ofANewerProgram": 1}) == profile


def test_one_that_was_not_written_is_empty() -> None:
    assert not BillingProfile()
    assert BillingProfile().as_document() == {}


def test_all_wrong_fields_are_named_at_once() -> None:
    wrong = {
        "legalName": "\u202egnp", "addressLine1": "a\nb", "city": "", "country": "Germany", "vatId": "DE136695977",
        "iban": "DE89370400440532013001", "bic": "X", "paymentTermDays": 366, "electronicAddressScheme": "X",
        "electronicAddress": "nobody", "contactEmail": "nobody", "taxNumber": "1" * 41, "buyerReference": 5,
        "postalCode": "\0", "addressLine2": "\u200b",
    }  # fmt: skip
    assert refused(wrong).keys() == wrong.keys()
    assert refused({}).keys() == {"legalName", "addressLine1", "city", "country"}


@pytest.mark.parametrize("days", ["", "x", "-1", "1.5", "366", "1" * 5000, -1, 366, 1.5, True, None])
def test_terms_of_payment(days: object) -> None:
    document = {**PROFILE, "paymentTermDays": days}
    if days in ("", None):
        assert read_profile(document).payment_term_days == ""
    else:
        assert refused(document).keys() == {"paymentTermDays"}


def test_a_vat_id_of_another_country_has_a_code_of_its_own() -> None:
    with pytest.raises(Invalid) as error:
        read_profile({**PROFILE, "country": "AT"})
    assert error.value.code is RequestCode.VAT_ID_OF_OTHER_COUNTRY
    assert str(error.value) == "vatId: is one of DE, but the address is in AT; write a VAT id that begins with AT"
    with pytest.raises(Invalid) as error:
        read_profile({**PROFILE, "country": "AT", "city": ""})
    assert error.value.code is RequestCode.VALIDATION_FAILED
    assert [wrong.field for wrong in error.value.fields] == ["city", "vatId"]


def test_an_electronic_address_needs_its_scheme_and_the_scheme_an_address() -> None:
    assert refused({**PROFILE, "electronicAddress": "1"}).keys() == {"electronicAddress"}
    assert refused({**PROFILE, "electronicAddressScheme": "0204"}).keys() == {"electronicAddress"}


def test_some_fields_change() -> None:
    profile = changed(read_profile(PROFILE), {"city": "Kiel", "iban": ""})
    assert (profile.city, profile.iban, profile.legal_name) == ("Kiel", "", PROFILE["legalName"])
    with pytest.raises(Invalid, match="country"):
        changed(profile, {"country": ""})


def test_the_audit_log_gets_nothing_of_a_person() -> None:
    before = read_profile({**PROFILE, "contactEmail": "ann@example.org"})
    after = changed(before, {"contact_email": "bob@example.org", "address_line1": "Bob's house", "iban": ""})
    said = changed_facts(before, after)
    assert said == {
        "legalName": PROFILE["legalName"], "country": "DE", "vatId": "DE136695976", "paymentTermDays": 14, "iban": None,
        "contactEmailChanged": True, "addressLine1Changed": True,
    }  # fmt: skip
    assert before.audited()["iban"] == "…3000"
    assert "ann" not in str(before.audited())
