"""What buyers are charged for a month, day by day with fractions. Shares no code with the product.

Everything is written down as it happens; moments and days decide what counts, as the rules of charging say.
"""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any, NamedTuple, TypeAlias

DAY = timedelta(days=1)
MINOR_UNITS = {"EUR": 100, "JPY": 1, "KWD": 1000}

Offer = dict[str, Any]
"""A version: prices as fractions of a hundredth, by the names of the API; what is not there is not sold."""


Sums: TypeAlias = dict[tuple[str, Any, Any, Fraction], int]
Banded: TypeAlias = dict[tuple[str, Any, Any], int]
Pools: TypeAlias = dict[Any, tuple[int, set[date]]]
Reserved: TypeAlias = dict[date, tuple[Any, int]]


class Charge(NamedTuple):
    product: str
    subject: Any
    contract: Any
    price: Fraction | None
    quantity: int
    minor_units: int


def end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + DAY


def latest(written: Sequence[tuple[Any, Any]], until: Any) -> Any:
    """What began last before `until`; of two that began at one time, the later written. None: nothing had begun."""
    best = None
    for since, value in written:
        if since < until and (best is None or since >= best[0]):
            best = (since, value)
    return None if best is None else best[1]


@dataclass
class Book:
    currency: str
    versions: list[tuple[date, Offer]] = field(default_factory=list[tuple[date, Offer]])


@dataclass
class Seller:
    default: Book | None = None
    assigned: dict[Any, list[tuple[date, Book | None]]] = field(default_factory=dict[Any, Any])

    def offer(self, day: date, *nearest_first: Any) -> Offer | None:
        book = None
        for subject in nearest_first:
            book = book or latest(self.assigned.get(subject, []), day + DAY)
        book = book or self.default
        return latest(book.versions, day + DAY) if book else None


@dataclass
class Granted:
    """An override, until a midnight or until it was ended."""

    capacity: int
    is_free: bool
    since: datetime
    until: datetime


@dataclass
class Thing:
    """A contract, a partner or an account: its terms, and when it was open."""

    opened: datetime
    terms: list[tuple[datetime, Any]]
    closed: datetime | None = None
    usage: dict[date, int] = field(default_factory=dict[date, int])
    accounts: list[Any] = field(default_factory=list[Any])
    overrides: list[Granted] = field(default_factory=list[Granted])

    def grant(self, override: Granted) -> None:
        for before in self.overrides:
            before.until = min(before.until, override.since)
        self.overrides.append(override)

    def raised(self, size: int, day: date, *, free_only: bool) -> int:
        """What use is compared with on a day: pay-per-use has nothing that could be raised."""
        running = [
            one.capacity
            for one in self.overrides
            if one.since < end_of(day) <= one.until and (one.is_free or not free_only)
        ]
        return max([size, *running]) if size else 0

    def change(self, terms: Any, now: datetime) -> None:
        """Never before the terms that were written before, if a clock is behind."""
        since, before = self.terms[-1]
        if terms != before:
            self.terms.append((max(now, since), terms))

    def at_end(self, day: date) -> Any:
        return latest(self.terms, end_of(day))

    def is_open(self, day: date) -> bool:
        return self.opened < end_of(day) and (self.closed is None or self.closed >= end_of(day))


@dataclass
class StatementModel:
    first: date
    last: date
    things: dict[Any, Thing] = field(default_factory=dict[Any, Thing])

    def days(self) -> Iterator[date]:
        return (self.first + n * DAY for n in range((self.last - self.first).days + 1))

    @property
    def of_month(self) -> int:
        return monthrange(self.first.year, self.first.month)[1]

    def priced_day(self, thing: Thing, day: date) -> date:
        """After its end a buyer pays by its last day."""
        if thing.closed is not None and day >= thing.closed.date():
            return thing.closed.date() - DAY
        return day

    def of_contract(self, operator: Seller, contract: Any, currency: str) -> list[Charge]:
        bought = self.things[contract]

        def offer(day: date, _: Any) -> Offer:
            day = self.priced_day(bought, day)
            return (operator.offer(day, contract) or {}) | {"excess": bought.at_end(day)[1]}

        reserved = {day: (contract, bought.at_end(day)[0]) for day in self.days() if bought.is_open(day)}
        partners = [one for one, thing in self.things.items() if thing.accounts]
        return self._charges(contract, currency, reserved, offer, partners, {contract})

    def of_partner(self, distributor: Seller, partner: Any, currency: str) -> list[Charge]:
        bought = self.things[partner]

        def offer(day: date, under: Any) -> Offer | None:
            return distributor.offer(self.priced_day(bought, day), partner, under)

        reserved = {day: bought.at_end(day) for day in self.days() if bought.is_open(day)}
        return self._charges(partner, currency, reserved, offer, [partner], None)

    def of_account(self, seller: Seller, seller_id: Any, account: Any, currency: str) -> list[Charge]:
        bought = self.things[account]

        def offer(day: date, _: Any) -> Offer | None:
            return seller.offer(self.priced_day(bought, day), account, seller_id)

        reserved = {day: bought.at_end(day) for day in self.days() if bought.is_open(day)}
        return self._charges(account, currency, reserved, offer, [account], None)

    def _charges(
        self, buyer: Any, currency: str, reserved: Reserved, offer: Any, subjects: list[Any], under: Any
    ) -> list[Charge]:
        sums: Sums = {}
        banded: Banded = {}
        pools: Pools = {}
        last = max(reserved, default=None)
        rules: Offer = (offer(last, reserved[last][0]) if last else None) or {}
        pool: str | None = rules.get("minimum", (0, None))[1]

        def add(product: str, subject: Any, contract: Any, found: Offer | None, quantity: int) -> None:
            if not found or not quantity:
                return
            tiers = found.get("tiers")
            if tiers and tiers[0] == product:
                key = (product, contract, tiers)
                banded[key] = banded.get(key, 0) + quantity
                return
            price = found.get(product)
            if price is None and product == "pay_per_use":
                price = found.get("excess")
            if price is not None:
                sums[product, subject, contract, price] = sums.get((product, subject, contract, price), 0) + quantity

        for day, (contract, size) in reserved.items():
            add("reserved", buyer, contract, offer(day, contract), size)
        for subject in subjects:
            thing = self.things[subject]
            for day in self.days():
                terms: tuple[Any, int] | None = thing.at_end(self.priced_day(thing, day)) or thing.at_end(day)
                if terms is None:
                    continue
                contract, size = terms
                size = thing.raised(size, self.priced_day(thing, day), free_only=under is None)
                if under is not None and contract not in under:
                    continue
                used = sum([self.things[one].usage.get(day, 0) for one in thing.accounts]) + thing.usage.get(day, 0)
                product = "excess" if size else "pay_per_use"
                add(product, subject, contract, offer(day, contract), max(0, used - size))
                if pool and not size:
                    self._pool(pools, pool, buyer, subject, day, used)
        return self._lines(buyer, currency, reserved, rules, sums, banded, pools)

    def _pool(self, pools: Pools, pool: str, buyer: Any, subject: Any, day: date, used: int) -> None:
        thing = self.things[subject]
        parts = [(buyer if pool == "contract" else subject, thing, used)]
        if pool == "account" and thing.accounts:
            parts = [(one, self.things[one], self.things[one].usage.get(day, 0)) for one in thing.accounts]
        for name, part, bytes_ in parts:
            total, days = pools.get(name, (0, set()))
            is_open = part.is_open(day) and thing.is_open(day)
            pools[name] = (total + bytes_, days | {day} if is_open else days)

    def _lines(
        self, buyer: Any, currency: str, reserved: Reserved, rules: Any, sums: Sums, banded: Banded, pools: Pools
    ) -> list[Charge]:
        unit = Fraction(10**9 * self.of_month)

        def rounded(amount: Fraction) -> int:
            half = floor(abs(amount) * MINOR_UNITS[currency] + Fraction(1, 2))
            return half if amount >= 0 else -half

        def line(product: str, subject: Any, contract: Any, price: Fraction, quantity: int) -> Charge:
            return Charge(product, subject, contract, price, quantity, rounded(quantity / unit * price / 100))

        lines = [line(*key, quantity) for key, quantity in sums.items()]
        for (product, contract, tiers), quantity in banded.items():
            lines += [
                line(product, buyer, contract, price, part) for part, price in split(tiers, quantity / unit, unit)
            ]
        if not rules:
            return lines
        under = reserved[max(reserved)][0]
        share = Fraction(len(reserved), self.of_month) if rules.get("prorate", True) else Fraction(1)
        least, pool = rules.get("minimum", (0, None))
        for name, (used, days) in pools.items():
            of_days = len(days) if rules.get("prorate", True) else self.of_month
            missing = least * 10**9 * of_days - used
            if missing <= 0:
                continue
            price = rules.get("pay_per_use", rules.get("excess"))
            tiers = rules.get("tiers")
            if tiers and tiers[0] == "pay_per_use":
                price = split(tiers, Fraction(least), unit)[-1][1]
            if pool and days and price is not None:
                lines.append(line("capacity_minimum", name, under, price, missing))
        minor = MINOR_UNITS[currency]
        so_far = Fraction(sum(one.minor_units for one in lines), minor)
        if taken := rounded(-so_far * rules.get("discount", Fraction(0)) / 100):
            lines.append(Charge("discount", buyer, under, None, 0, taken))
            so_far += Fraction(taken, minor)
        if (missing := rounded(rules.get("minimum_charge", Fraction(0)) / 100 * share - so_far)) > 0:
            lines.append(Charge("minimum_charge", buyer, under, None, 0, missing))
        return lines


def split(tiers: Any, quantity: Fraction, unit: Fraction) -> list[tuple[int, Fraction]]:
    """Bands (up to, price): the byte-days in each that is reached."""
    _, mode, bands = tiers
    parts: list[tuple[int, Fraction]] = []
    lower = Fraction(0)
    for upper, price in bands:
        if quantity > lower:
            inside = (quantity if upper is None else min(quantity, Fraction(upper))) - lower
            parts.append((int(inside * unit), price))
        lower = Fraction(upper or 0)
    return [(int(quantity * unit), parts[-1][1])] if mode == "volume" and parts else parts
