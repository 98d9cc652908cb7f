"""Numbers by which companies and their bank accounts are known: VAT ids, IBANs, BICs, electronic addresses.

They are checked by their forms and check digits. Whether one has really been given, nobody is asked.
"""

import re
from collections.abc import Callable

from stdnum import bic as stdnum_bic
from stdnum import iban as stdnum_iban
from stdnum.ch import vat as swiss
from stdnum.eu import vat as european
from stdnum.exceptions import ValidationError
from stdnum.gb import vat as british
from stdnum.no import mva as norwegian

from tonnage.billing_profiles.countries import COUNTRIES, EU, vat_prefixes
from tonnage.email_address import email_address
from tonnage.errors import Sentence

_SEPARATORS = re.compile(r"[ .\-/\u00a0]")
_COMPACT = re.compile(r"[A-Z0-9]{4,34}", re.ASCII)
_OTHER_VAT_ID = re.compile(r"[A-Z]{2}[A-Z0-9]{2,20}", re.ASCII)
_PARTICIPANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._+\-/]{0,49}", re.ASCII)

_SCHEMES = """
    0002 0007 0009 0037 0060 0088 0096 0097 0106 0130 0135 0142 0147 0151 0154 0158 0170 0177 0183 0184 0188 0190 0191
    0192 0193 0194 0195 0196 0198 0199 0200 0201 0202 0203 0204 0205 0208 0209 0210 0211 0212 0213 0215 0216 0217 0218
    0219 0220 0221 0225 0230 0235 0240 0242 0244 0245 0246 0248 9910 9913 9914 9915 9918 9919 9920 9922 9923 9924 9925
    9926 9927 9928 9929 9930 9931 9932 9933 9934 9935 9936 9937 9938 9939 9940 9941 9942 9943 9944 9945 9946 9947 9948
    9949 9950 9951 9952 9953 9957 9959 AN AQ AS AU EM
"""
SCHEMES = frozenset(_SCHEMES.split())
"""The schemes of electronic addresses: the code list EAS, as the rule BR-CL-25 of EN 16931 has it."""

EMAIL_SCHEME = "EM"

_CHECKS: dict[str, Callable[[str], str]] = {
    **{prefix: european.validate for code in EU for prefix in vat_prefixes(code)},
    "XI": european.validate,
    "GB": british.validate,
    "CH": swiss.validate,
    "NO": norwegian.validate,
}


def vat_id(text: str) -> str:
    """A VAT id without separators, with the prefix of its country: `DE136695976`, `CHE107787577IVA`. Raises ValueError.

    Of the European Union, the United Kingdom, Switzerland and Norway with their own forms and check digits; of other
    countries letters and digits. EN 16931 (BR-CO-9) needs the prefix.
    """
    compact = _compact(text)
    prefix = compact[:2]
    if prefix in _CHECKS:
        return _with_prefix(prefix, _checked(_CHECKS[prefix], compact, _not_of(prefix)))
    if prefix not in COUNTRIES or not _OTHER_VAT_ID.fullmatch(compact):
        raise ValueError(Sentence("must begin with the two letters of its country, such as DE136695976"))
    if prefix not in vat_prefixes(prefix):
        raise ValueError(Sentence("must begin with {expected}", expected=" or ".join(vat_prefixes(prefix))))
    return compact


def require_vat_country(vat: str, country: str) -> None:
    """Raises ValueError: the VAT id is of another country."""
    if vat[:2] not in vat_prefixes(country):
        raise ValueError(
            Sentence(
                "is one of {prefix}, but the address is in {country}; write a VAT id that begins with {expected}",
                prefix=vat[:2],
                country=country,
                expected=" or ".join(vat_prefixes(country)),
            )
        )


def iban(text: str) -> str:
    """An IBAN without spaces (ISO 13616: country, length, check digits). Raises ValueError."""
    wrong = Sentence("must be an IBAN, such as DE89 3704 0044 0532 0130 00; its check digits or its length are wrong")
    return _checked(_by_iso_13616, _compact(text), wrong)


def _by_iso_13616(number: str) -> str:
    # Without the checks of some countries: they know the banks that there were when the library was released.
    return stdnum_iban.validate(number, check_country=False)


def bic(text: str) -> str:
    """A BIC of 8 or 11 characters (ISO 9362). Raises ValueError."""
    return _checked(stdnum_bic.validate, _compact(text), Sentence("must be a BIC of 8 or 11 characters"))


def scheme(text: str) -> str:
    """The scheme of an electronic address. Raises ValueError."""
    code = text.strip().upper()
    if code not in SCHEMES:
        raise ValueError(
            Sentence("must be a scheme of the code list EAS, such as 0204 (Leitweg-ID), 9930 (VAT id) or EM (e-mail)")
        )
    return code


def electronic_address(text: str, scheme: str) -> str:
    """The address in its scheme, where e-invoices go to (BT-34, BT-49). Raises ValueError."""
    if scheme == EMAIL_SCHEME:
        return email_address(text.strip())
    if not _PARTICIPANT.fullmatch(text.strip()):
        raise ValueError(Sentence("must have 1 to 50 letters, digits and : . _ + - /"))
    return text.strip()


def masked(number: str) -> str:
    """The last four characters of an IBAN, by which people recognise theirs."""
    return f"…{number[-4:]}" if number else ""


def _compact(text: str) -> str:
    return _SEPARATORS.sub("", text).upper()


def _checked(check: Callable[[str], str], compact: str, wrong: Sentence) -> str:
    # The library normalises more characters than we store; what it returns has only these.
    if not _COMPACT.fullmatch(compact):
        raise ValueError(wrong)
    try:
        found = check(compact)
    except ValidationError:
        raise ValueError(wrong) from None
    return found


def _with_prefix(prefix: str, number: str) -> str:
    return number if number.startswith(prefix) else prefix + number


def _not_of(prefix: str) -> Sentence:
    return Sentence("is not a VAT id of {prefix}: its form or its check digits are wrong", prefix=prefix)
