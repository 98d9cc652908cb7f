"""What a buyer's month was rated from, as JSON. A statement keeps it, and can be rated again from that alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import TypeAdapter

from tonnage.billing.month import BuyerMonth, Capacity, Month, Span, SubjectMonth
from tonnage.price_books.version import Prices


@dataclass(frozen=True, slots=True)
class _Buyer:
    """A BuyerMonth, with the prices under each contract as pairs: JSON has no members without a name."""

    id: UUID | int
    month: Month
    currency: str
    capacities: Sequence[Span[Capacity]]
    prices: Sequence[tuple[UUID | None, Sequence[Span[Prices | None]]]]


_BUYER = TypeAdapter(_Buyer)
_SUBJECT = TypeAdapter(SubjectMonth)


def written_buyer(buyer: BuyerMonth) -> bytes:
    """A buyer as JSON."""
    prices = sorted(buyer.prices.items(), key=_by_contract)
    return _BUYER.dump_json(_Buyer(buyer.id, buyer.month, buyer.currency, buyer.capacities, prices))


def read_buyer(written: bytes | str) -> BuyerMonth:
    """A buyer that `written_buyer` has written."""
    found = _BUYER.validate_json(written)
    return BuyerMonth(found.id, found.month, found.currency, found.capacities, dict(found.prices))


def written_subject(subject: SubjectMonth) -> bytes:
    """A subject as JSON."""
    return _SUBJECT.dump_json(subject)


def read_subject(written: bytes | str) -> SubjectMonth:
    """A subject that `written_subject` has written."""
    return _SUBJECT.validate_json(written)


def length_prefixed(written: bytes) -> bytes:
    """With its length before it, so that a digest of several depends on where each ends."""
    return b"%d:%b" % (len(written), written)


def _by_contract(item: tuple[UUID | None, object]) -> str:
    return str(item[0] or "")
