"""Who pays for a month: a contract, a partner or a storage account."""

import re
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tonnage.errors import NotFound
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.utc import parse_month


@dataclass(frozen=True)
class Buyer:
    """A buyer and its seller: the operator of a contract, the distributor of a partner, the partner of an account."""

    kind: SubjectKind
    id: UUID | int
    name: str
    seller_id: UUID
    seller_name: str


_ID = r"(?:(?P<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|(?P<account>[1-9][0-9]{11}))"
_BUYER = re.compile(_ID, re.ASCII)
_DRAFT = re.compile(rf"draft-{_ID}-(?P<month>[0-9]{{4}}-[0-9]{{2}})", re.ASCII)


@dataclass(frozen=True)
class DraftId:
    """The id of a draft: `draft-<buyer id>-2026-11`."""

    buyer_id: UUID | int
    first: date
    """The first day of the month."""

    @classmethod
    def read(cls, text: str) -> "DraftId":
        """NotFound for any other text."""
        found = _DRAFT.fullmatch(text)
        first = parse_month(found["month"]) if found else None
        if found is None or first is None:
            raise no_statement(text)
        return cls(_id(found), first)

    def __str__(self) -> str:
        return f"draft-{self.buyer_id}-{self.first:%Y-%m}"


def read_buyer_id(text: str) -> UUID | int | None:
    """The id of a contract or a partner, or the number of a storage account. None for any other text."""
    found = _BUYER.fullmatch(text)
    return _id(found) if found else None


def _id(found: re.Match[str]) -> UUID | int:
    return UUID(found["uuid"]) if found["uuid"] else int(found["account"])


def subjects_of(buyer_id: UUID | int) -> list[Subject]:
    """What a buyer with that id can be."""
    is_account = isinstance(buyer_id, int)
    kinds = (SubjectKind.ACCOUNT,) if is_account else (SubjectKind.CONTRACT, SubjectKind.PARTNER)
    return [Subject(kind, buyer_id) for kind in kinds]


def statement_id(text: str) -> UUID | DraftId:
    """The id of a frozen statement, or of a draft. NotFound for any other text."""
    try:
        found = UUID(text)
    except ValueError:
        return DraftId.read(text)
    if str(found) != text:
        raise no_statement(text)
    return found


def frozen_id(text: str) -> UUID:
    """The id of a frozen statement. NotFound for any other text, the id of a draft too."""
    found = statement_id(text)
    if isinstance(found, DraftId):
        raise no_statement(text)
    return found


def month_in(text: str) -> date:
    """The first day of a month in a path, such as 2026-11. NotFound for any other text."""
    first = parse_month(text)
    if first is None:
        raise NotFound("There is no month {month}. Write it as 2026-11.", month=text)
    return first


def require_begun(first: date, today: date) -> None:
    """NotFound: the month that begins on `first` is still to come."""
    if today < first:
        raise NotFound("The month {month} has not begun.", month=f"{first:%Y-%m}")


def no_statement(statement_id: str) -> NotFound:
    """The same for one that does not exist and one of others."""
    return NotFound("There is no statement {statement}.", statement=statement_id)
