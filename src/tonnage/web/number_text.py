"""Decimal numbers as people type them.

The rule: **a text has the same value in every locale, or it is refused.** No locale decides between 1.5 and 15, so a
page that was rendered for one locale and is sent under another still means what it showed.

- Spaces, apostrophes and the Arabic thousands separator only group digits; the Arabic decimal separator only separates
  decimals. A point or a comma can do either.
- Groups have three digits, the first one to three and a number that is not 0; one kind of separator groups the whole
  number. Where the reader's locale writes 12,34,567, all groups but the last may have two digits.
- `1,5` and `1.5` are one and a half: nobody groups one digit. `1.000.000`, `1 000`, `1'000` and `1,000.5` can only be
  grouped.
- A single point or comma with one to three digits before it, which are not 0, and three behind it can be read both
  ways, such as `1.000`. It is refused in every locale, with both readings; `1.0000`, `1000` and `0.125` are clear.
- Digits are those of any script in which a locale of ours writes numbers. There are no signs and no exponents.

What is written into a form is what this reads back: see `written`.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from tonnage.errors import Sentence

_LONGEST = 60
_ECHOED = 40
_POINT = "."
_COMMA = ","
_ARABIC_DECIMAL = "\N{ARABIC DECIMAL SEPARATOR}"
_ARABIC_GROUP = "\N{ARABIC THOUSANDS SEPARATOR}"
_ZEROS = (
    "0",
    "\N{ARABIC-INDIC DIGIT ZERO}",
    "\N{EXTENDED ARABIC-INDIC DIGIT ZERO}",
    "\N{DEVANAGARI DIGIT ZERO}",
    "\N{BENGALI DIGIT ZERO}",
    "\N{TIBETAN DIGIT ZERO}",
    "\N{MYANMAR DIGIT ZERO}",
    "\N{FULLWIDTH DIGIT ZERO}",
)
_SAME = {ord(zero) + digit: str(digit) for zero in _ZEROS for digit in range(10)} | {
    ord("\N{NO-BREAK SPACE}"): " ",
    ord("\N{NARROW NO-BREAK SPACE}"): " ",
    ord("\N{THIN SPACE}"): " ",
    ord("\N{RIGHT SINGLE QUOTATION MARK}"): "'",
    ord("\N{MODIFIER LETTER APOSTROPHE}"): "'",
}
_DIRECTIONS = "\N{LEFT-TO-RIGHT MARK}\N{RIGHT-TO-LEFT MARK}\N{ARABIC LETTER MARK}"
"""Come along with what is copied from a page that is written from right to left."""

_MARK = rf"[{_POINT}{_COMMA}{_ARABIC_DECIMAL}]"
_GROUP = rf"[ '{_POINT}{_COMMA}{_ARABIC_GROUP}]"
_DECIMALS = rf"(?:(?P<mark>{_MARK})(?P<fraction>[0-9]+))?"
_SINGLE = re.compile(rf"(?P<whole>[0-9]*){_DECIMALS}")
_IN_THREES = re.compile(rf"(?P<whole>[0-9]{{1,3}}(?P<group>{_GROUP})[0-9]{{3}}(?:(?P=group)[0-9]{{3}})*){_DECIMALS}")
_IN_PAIRS = re.compile(rf"(?P<whole>[0-9]{{1,2}}(?P<group>{_GROUP})(?:[0-9]{{2}}(?P=group))*[0-9]{{3}}){_DECIMALS}")
_SEPARATED = re.compile(rf"(?:{_GROUP}|{_MARK}|[0-9])*[0-9](?:{_GROUP}|{_MARK})*")
_EXPONENT = re.compile(r"[0-9.,]+ ?e ?[-+]?[0-9]+", re.IGNORECASE)


@dataclass(frozen=True)
class NumberFormat:
    """What is peculiar to a reader's locale."""

    decimal: str = _POINT
    """Point or comma, for what is written."""
    has_pairs: bool = False
    """12,34,567 and not 1,234,567."""


WITH_POINT = NumberFormat()


def parse_number(text: str, reader: NumberFormat) -> Decimal:
    """The number, exactly, 0 or more. Raises ValueError with a Sentence that says what to write instead."""
    plain = text.strip().strip(_DIRECTIONS).strip().translate(_SAME)
    if len(plain) > _LONGEST:
        raise ValueError(Sentence("must have at most {most} digits", most=_LONGEST))
    single, grouped = _ungrouped(plain), _grouped(plain, reader)
    if single is not None and grouped is not None:
        first, second = (single, grouped) if reader.decimal in plain else (grouped, single)
        raise ValueError(
            Sentence(
                "{text} can be read as {first} or as {second}: write {first} or {second}",
                text=echo(text),
                first=written(first, reader),
                second=written(second, reader),
            )
        )
    value = single if single is not None else grouped
    if value is None:
        raise ValueError(_refusal(text, plain, reader))
    return value


def written(value: Decimal, reader: NumberFormat) -> str:
    """The number for a text field, exactly, without groups: `2,5`. It reads back as itself in every locale, for which
    three decimals get a fourth: `1,1250`.
    """
    whole, _, fraction = f"{value:f}".partition(_POINT)
    fraction = fraction.rstrip("0")
    if len(fraction) == 3 and len(whole) <= 3 and int(whole):
        fraction += "0"
    return f"{whole}{reader.decimal}{fraction}" if fraction else whole


def echo(text: str) -> str:
    """What was typed, as part of a message."""
    return "".join(sign if sign.isprintable() else " " for sign in text.strip()[:_ECHOED])


def _ungrouped(plain: str) -> Decimal | None:
    match = _SINGLE.fullmatch(plain)
    return _exact(match["whole"] or "0", match["fraction"] or "") if match and plain else None


def _grouped(plain: str, reader: NumberFormat) -> Decimal | None:
    match = _IN_THREES.fullmatch(plain) or (_IN_PAIRS.fullmatch(plain) if reader.has_pairs else None)
    if match is None or match["group"] == match["mark"] or not int(match["whole"].split(match["group"])[0]):
        return None
    return _exact(match["whole"].replace(match["group"], ""), match["fraction"] or "")


def _exact(whole: str, fraction: str) -> Decimal:
    kept = fraction.rstrip("0")
    return Decimal(f"{whole}.{kept}" if kept else whole)


def _refusal(text: str, plain: str, reader: NumberFormat) -> Sentence:
    if plain[:1] in {"-", "\N{MINUS SIGN}", "\N{EN DASH}"}:
        return Sentence("must be 0 or more: remove the minus sign")
    if plain.startswith("+"):
        return Sentence("must be written without a sign")
    if _EXPONENT.fullmatch(plain):
        return Sentence("must be written with all its digits, without an exponent")
    example = written(Decimal("1.5"), reader)
    if _SEPARATED.fullmatch(plain):
        return Sentence(
            "{text} is not a number: write at most one separator, before the decimals, such as {whole} or {example}",
            text=echo(text),
            whole="1500",
            example=example,
        )
    if any(sign.isdigit() and not sign.isascii() for sign in plain):
        return Sentence("must be written with the digits 0 to 9")
    return Sentence("must be a number and nothing else, such as {example}", example=example)
