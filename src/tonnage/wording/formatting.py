"""Numbers, sizes, money, days and moments as a member reads them: in their locale and time zone.

Digits are the Latin ones everywhere, as they must be typed for the API and as Babel writes them by default.
Running words ("3 minutes ago", "bytes") are in the language of the page, which is not always that of the locale.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import ROUND_DOWN, Context, Decimal, localcontext
from functools import cached_property

from babel import Locale, dates, numbers

from tonnage.money import Money
from tonnage.units import scaled
from tonnage.web.number_text import NumberFormat
from tonnage.wording.catalogue import language_of, translations_of
from tonnage.wording.choices import babel_locale, time_zone

BESIDE = "\N{NARROW NO-BREAK SPACE}"
"""Between a number and its unit."""

# Babel quantises in the current context, whose 28 digits a sum of exact fees may exceed.
_WIDE = Context(prec=60)


@dataclass(frozen=True)
class Formats:
    """How one member reads. What is not known any more as a locale is en_GB, and UTC as a time zone: no page breaks."""

    locale: str
    time_zone: str

    @cached_property
    def babel(self) -> Locale:
        """The locale as Babel knows it, for its text direction and the like."""
        return babel_locale(self.locale)

    @cached_property
    def zone(self) -> tzinfo:
        """Where the member lives."""
        return time_zone(self.time_zone)

    @cached_property
    def number_format(self) -> NumberFormat:
        """How numbers are typed; see web/number_text.py."""
        has_pairs = self.babel.decimal_formats[None].grouping == (3, 2)
        return NumberFormat(numbers.get_decimal_symbol(self.babel, numbering_system="latn"), has_pairs)

    def number(self, value: int | Decimal) -> str:
        """All its digits, grouped."""
        with localcontext(_WIDE):
            return numbers.format_decimal(value, locale=self.babel, decimal_quantization=False)

    def size(self, size: int | Decimal) -> str:
        """`1.32 TB`: see `units.scaled`."""
        number, unit = scaled(size)
        return f"{self.number(number)}{BESIDE}{unit}"

    def exact_size(self, size: int | Decimal) -> str:
        """`1,320,000,000,000 bytes`."""
        words = translations_of(language_of(self.locale))
        return words.ngettext("{count} byte", "{count} bytes", int(size)).format(count=self.number(int(size)))

    def percent(self, fraction: Decimal | float) -> str:
        """`12.3%` for 0.123: at most one decimal, cut, so that only what is full is 100%."""
        with localcontext(_WIDE):
            cut = Decimal(str(fraction)).quantize(Decimal("0.001"), ROUND_DOWN)
            return numbers.format_percent(cut, locale=self.babel, decimal_quantization=False)

    def money(self, amount: Money) -> str:
        """`€12.35`, `JP¥12`, `KWD12.345`: rounded to the digits of the currency (see `money.round_half_away`)."""
        return self.exact_money(amount.rounded())

    def exact_money(self, amount: Money) -> str:
        """`€12.345`: at least the digits of the currency, and all that there are."""
        with localcontext(_WIDE):
            return numbers.format_currency(
                amount.amount, amount.currency, locale=self.babel, decimal_quantization=False
            )

    def price(self, cents: int | Decimal) -> str:
        """The number of "cents per GB-month", with just the decimals that it has."""
        return self.number(cents)

    def unit_price(self, cents: Decimal, currency: str) -> str:
        """`€0.0069 / GB-month (€6.90 / TB)`, exactly, of a price in hundredths."""
        words = translations_of(language_of(self.locale))
        gb, tb = self.per_gb_and_tb(cents, currency)
        return words.gettext("{gb} / GB-month ({tb} / TB)").format(gb=gb, tb=tb)

    def per_gb_and_tb(self, cents: Decimal, currency: str) -> tuple[str, str]:
        """`€0.0069` and `€6.90`, exactly, of a price in hundredths."""
        gb = cents.scaleb(-2, _WIDE)
        return self.exact_money(Money(gb, currency)), self.exact_money(Money(gb.scaleb(3, _WIDE), currency))

    def date_of(self, moment: datetime) -> date:
        """The day that it is then where the member lives."""
        return moment.astimezone(self.zone).date()

    def day(self, day: date) -> str:
        """`24 Nov 2026`."""
        return dates.format_date(day, "medium", locale=self.babel)

    def month(self, day: date) -> str:
        """`November 2026`."""
        return dates.format_skeleton("yMMMM", day, locale=self.babel)

    def short_month(self, day: date) -> str:
        """`Nov 2026`."""
        return dates.format_skeleton("yMMM", day, locale=self.babel)

    def moment(self, moment: datetime) -> str:
        """`24 Nov 2026, 17:05`, in the member's time zone."""
        local = moment.astimezone(self.zone)
        clock = dates.format_time(local, "short", tzinfo=self.zone, locale=self.babel)
        return (
            str(dates.get_datetime_format("medium", self.babel)).replace("{1}", self.day(local)).replace("{0}", clock)
        )

    def zone_of(self, moment: datetime) -> str:
        """`CET`: what the member's time zone is called then; an offset where it has no abbreviation."""
        return moment.astimezone(self.zone).tzname() or "UTC"

    def exact_moment(self, moment: datetime) -> str:
        """RFC 3339 in UTC, whole seconds."""
        return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    def ago(self, moment: datetime, now: datetime) -> str:
        """`3 minutes ago`, or `in 3 minutes`."""
        passed = moment - now
        if abs(passed) < timedelta(seconds=1):  # "in 0 seconds" is no English, and clocks differ by as much
            passed = timedelta(seconds=-1)
        return dates.format_timedelta(passed, add_direction=True, locale=babel_locale(language_of(self.locale)))
