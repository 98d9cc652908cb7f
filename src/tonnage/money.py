"""Amounts of money: exact decimals with their currency, and the one rule of rounding.

Amounts are in the currency's major unit (euros, yen, dinars). Prices are hundredths of it, in every currency.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Clamped, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow, Rounded
from fractions import Fraction
from functools import cache

from babel.numbers import get_currency_precision

# Raises instead of rounding. A month of the largest use at the highest price has 43 digits.
_EXACT = Context(prec=200, traps=[Clamped, DivisionByZero, Inexact, InvalidOperation, Overflow, Rounded])

_CODES = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
    IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD
    MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB
    RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU
    UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())
"""ISO 4217 codes of what is legal tender somewhere, by the CLDR: no funds, metals, test codes or past currencies.

Written out rather than asked of Babel: the database's domain `currency` has the same list, which must not change with
the installed version of a library. A test compares the three. A new currency also needs a migration of the domain.
"""


class MixedCurrencies(ValueError):
    """Amounts in two currencies have no sum and no order."""


@cache
def digits(currency: str) -> int:
    """Decimal places of amounts in the currency: EUR 2, JPY 0, KWD 3.

    By the CLDR. It has ISO 4217's numbers, but 0 where coins of the minor unit are no longer used (AFN, ALL, IQD, IRR,
    KPW, LAK, LBP, MGA, MMK, RSD, SOS, SYP, YER).
    """
    return get_currency_precision(currency)


def round_half_away(value: Fraction | Decimal | int, places: int = 0) -> Decimal:
    """To that many decimal places, half away from zero: 2.675 is 2.68 at two places, and -2.675 is -2.68.

    The rule for all amounts of money and mean values. The database has a function of the same name (money.sql).
    """
    # In whole numbers: a Fraction would look for common divisors at each step.
    numerator, denominator = value.as_integer_ratio()
    units = (2 * abs(numerator) * 10**places + denominator) // (2 * denominator)
    return _EXACT.scaleb(Decimal(units if numerator >= 0 else -units), -places)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in a currency's major unit.

    Raises ValueError for what is no currency or no finite number, TypeError for an amount that is not a Decimal.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not Decimal:
            raise TypeError(f"an amount of money is a Decimal, not {type(self.amount).__name__}")
        if not self.amount.is_finite():
            raise ValueError(f"{self.amount} is not an amount of money")
        if self.currency not in CURRENCIES:
            raise ValueError(f"{self.currency!r} is not a currency")

    @classmethod
    def zero(cls, currency: str) -> "Money":
        """Nothing, with the currency's digits."""
        return cls.of_minor_units(0, currency)

    @classmethod
    def of_minor_units(cls, units: Decimal | int, currency: str) -> "Money":
        """A whole number of the currency's smallest units: 1235 is EUR 12.35, JPY 1235, KWD 1.235."""
        return cls(_EXACT.scaleb(Decimal(units), -digits(currency)), currency)

    def rounded(self) -> "Money":
        """To the digits of the currency: see `round_half_away`."""
        return Money(round_half_away(self.amount, digits(self.currency)), self.currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(_EXACT.add(self.amount, self._same(other)), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(_EXACT.subtract(self.amount, self._same(other)), self.currency)

    def __neg__(self) -> "Money":
        return Money(_EXACT.minus(self.amount), self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __str__(self) -> str:
        return f"{self.currency} {self.amount:f}"

    def _same(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            raise MixedCurrencies(f"{self} and {other} are in two currencies")
        return other.amount


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum; of nothing, zero. Raises MixedCurrencies."""
    result = Money.zero(currency).amount
    for amount in amounts:
        if amount.currency != currency:
            raise MixedCurrencies(f"{amount} is not in {currency}")
        result = _EXACT.add(result, amount.amount)
    return Money(result, currency)


def totals(amounts: Iterable[Money]) -> list[Money]:
    """A sum for each currency, in order of their codes."""
    found: dict[str, Money] = {}
    for amount in amounts:
        known = found.get(amount.currency)
        found[amount.currency] = amount if known is None else known + amount
    return [found[currency] for currency in sorted(found)]
