"""VAT ids and IBANs in the form of each country, electronic addresses, and what is none of them."""

import pytest
from babel import Locale

from tonnage.billing_profiles.countries import COUNTRIES, EU, country, vat_prefixes
from tonnage.billing_profiles.identifiers import bic, electronic_address, iban, require_vat_country, scheme, vat_id

VAT_IDS = {
    "AT": "ATU13585627",
    "BE": "BE0428759497",
    "BG": "BG175074752",
    "CY": "CY10259033P",
    "CZ": "CZ25123891",
    "DE": "DE136695976",
    "DK": "DK13585628",
    "EE": "EE100931558",
    "ES": "ES54362315K",
    "FI": "FI20774740",
    "FR": "FR40303265045",
    "GR": "EL094259216",
    "HR": "HR33392005961",
    "HU": "HU12892312",
    "IE": "IE6433435F",
    "IT": "IT00743110157",
    "LT": "LT119511515",
    "LU": "LU15027442",
    "LV": "LV40003521600",
    "MT": "MT11679112",
    "NL": "NL004495445B01",
    "PL": "PL8567346215",
    "PT": "PT501964843",
    "RO": "RO18547290",
    "SE": "SE123456789701",
    "SI": "SI50223054",
    "SK": "SK2022749619",
    "GB": "GB980780684",
    "CH": "CHE107787577IVA",
    "NO": "NO995525828MVA",
}
"""One with right check digits for each country whose form is known, as it is stored."""

IBANS = (
    *("AD1200012030200359100100", "AT611904300234573201", "BE68539007547034", "BG80BNBG96611020345678"),
    *("CH9300762011623852957", "CY17002001280000001200527600", "CZ6508000000192000145399", "DE89370400440532013000"),
    *("DK5000400440116243", "EE382200221020145685", "ES9121000418450200051332", "FI2112345600000785"),
    *("FR1420041010050500013M02606", "GB29NWBK60161331926819", "GR1601101250000000012300695", "HR1210010051863000160"),
    *("HU42117730161111101800000000", "IE29AIBK93115212345678", "IT60X0542811101000000123456", "LI21088100002324013AA"),
    *("LT121000011101001000", "LU280019400644750000", "LV80BANK0000435195001", "MC5811222000010123456789030"),
    *("MT84MALT011000012345MTLCAST001S", "NL91ABNA0417164300", "NO9386011117947", "PL61109010140000071219812874"),
    *("PT50000201231234567890154", "RO49AAAA1B31007593840000", "SE4550000000058398257466", "SI56263300012039086"),
    *("SK3112000000198742637541", "SM86U0322509800000000270100", "TR330006100519786457841326"),
)


@pytest.mark.parametrize(("of", "number"), VAT_IDS.items())
def test_a_vat_id_of_each_country(of: str, number: str) -> None:
    assert vat_id(number) == number
    assert vat_id(f" {number[:2].lower()} {number[2:5]}.{number[5:]} ") == number
    require_vat_country(number, of)
    wrong = number[:6] + str((int(number[6]) + 1) % 10) + number[7:]
    for broken in (wrong, number[:4], number + "0000"):
        with pytest.raises(ValueError, match=r"is not a VAT id of"):
            vat_id(broken)


def test_all_of_the_union_are_there() -> None:
    assert VAT_IDS.keys() >= EU
    assert len(EU) == 27


@pytest.mark.parametrize(("number", "of", "said"), [
    ("ATU13585627", "DE", "is one of AT, but the address is in DE; write a VAT id that begins with DE"),
    ("EL094259216", "DE", "is one of EL, but the address is in DE; write a VAT id that begins with DE"),
    ("DE136695976", "GR", "is one of DE, but the address is in GR; write a VAT id that begins with EL"),
    ("DE136695976", "GB", "is one of DE, but the address is in GB; write a VAT id that begins with GB or XI"),
])  # fmt: skip
def test_a_vat_id_of_another_country_names_both(number: str, of: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        require_vat_country(number, of)
    assert str(refused.value) == said


def test_territories_have_the_ids_of_their_countries() -> None:
    assert vat_id("XI980780684") == "XI980780684"
    for number, of in (("XI980780684", "GB"), ("GB980780684", "IM"), ("FR40303265045", "MC")):
        require_vat_country(number, of)
    assert [vat_prefixes(of) for of in ("GR", "US")] == [("EL",), ("US",)]


NO_VAT_IDS = (
    *("", "DE", "12345678", "ZZ123456", "EU372000065", "{0.__class__}", "US" + "1" * 40, "DE136695976" * 10_000),
    *("GR094259216", "MC40303265045", "IM980780684"),
    *("DE\uff11\uff13\uff16\uff16\uff19\uff15\uff19\uff17\uff16", "DE136695976\n", "DE\x00136695976"),
)


@pytest.mark.parametrize("text", NO_VAT_IDS)
def test_what_is_no_vat_id(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the sentences are tested above
        vat_id(text)


def test_other_countries_have_any_letters_and_digits() -> None:
    assert vat_id("jp t1234567890123") == "JPT1234567890123"


@pytest.mark.parametrize("number", IBANS)
def test_an_iban_of_each_country(number: str) -> None:
    spaced = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    assert iban(spaced.lower()) == number
    other_digits = number[:2] + f"{(int(number[2:4]) + 1) % 100:02}" + number[4:]
    for wrong in (other_digits, number[:-1], number + "0", "XX" + number[2:]):
        with pytest.raises(ValueError, match="must be an IBAN"):
            iban(wrong)


@pytest.mark.parametrize("text", ["", "DE", "DE89370400440532013000\n", "ÄÖ89370400440532013000", "1" * 100_000])
def test_what_is_no_iban(text: str) -> None:
    with pytest.raises(ValueError, match="must be an IBAN"):
        iban(text)


def test_bics() -> None:
    assert [bic("agrifrpp"), bic("AGRIFRPP 882")] == ["AGRIFRPP", "AGRIFRPP882"]
    for wrong in ("", "AGRIFRP", "AGRIFRPP8822", "1234FRPP"):
        with pytest.raises(ValueError, match="must be a BIC"):
            bic(wrong)


def test_electronic_addresses() -> None:
    assert [scheme("em"), scheme("0204")] == ["EM", "0204"]
    assert electronic_address("04011000-12345-34", "0204") == "04011000-12345-34"
    assert electronic_address("ann@Example.org", "EM") == "ann@example.org"
    for wrong in ("", "0203 ", "9999", "EMX"):
        if wrong.strip() != "0203":
            with pytest.raises(ValueError, match="must be a scheme"):
                scheme(wrong)
    for text, of in (("no address", "EM"), ("a b", "0204"), ("<a>", "0204"), ("1" * 51, "0204")):
        with pytest.raises(ValueError, match="must"):
            electronic_address(text, of)


def test_countries_are_those_of_the_cldr() -> None:
    others = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"}
    known = {code for code in map(str, Locale.parse("en").territories) if len(code) == 2 and code.isalpha()}
    assert known - others == COUNTRIES
    assert country(" de ") == "DE"
    for wrong in ("", "XX", "EU", "DEU", "UK"):
        with pytest.raises(ValueError, match="must be a country"):
            country(wrong)
