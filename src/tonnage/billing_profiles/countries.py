"""Countries, and which of them are in the European Union for value added tax on services."""

from tonnage.errors import Sentence

_CODES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY
    BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK
    FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR
    IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK
    ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
    PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF
    TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_CODES.split())
"""ISO 3166-1 alpha-2, as the CLDR lists them. Written out: what is stored must not become wrong with another version of
a library. A test compares them with Babel.
"""

_EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EU = frozenset(_EU.split())
"""The member states, since 2020-02-01: until then GB was one (for VAT until 2020-12-31). Territories with a code of
their own to which the VAT directive does not apply, such as AX and RE (article 6), are not among them. Northern Ireland
(GB) is treated as a member for goods only, and storage is a service.
"""

_TAXED_AS = {"MC": "FR", "IM": "GB"}
"""Monaco and the Isle of Man belong to the territory of another country (VAT directive, article 7)."""

_VAT_PREFIXES = {"GR": ("EL",), "GB": ("GB", "XI"), "IM": ("GB",), "MC": ("FR",)}


def country(text: str) -> str:
    """The code in capital letters. Raises ValueError: there is no such country."""
    code = text.strip().upper()
    if code not in COUNTRIES:
        raise ValueError(Sentence("must be a country as two letters (ISO 3166), such as DE"))
    return code


def tax_territory(code: str) -> str:
    """The country whose VAT applies in a country."""
    return _TAXED_AS.get(code, code)


def vat_prefixes(code: str) -> tuple[str, ...]:
    """What VAT ids of a country begin with: its code, except that Greece has EL, Northern Ireland XI."""
    return _VAT_PREFIXES.get(code, (code,))
