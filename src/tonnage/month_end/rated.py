"""What a buyer is charged for a month, with what that is computed from as it is stored."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from tonnage.billing.line import Line, SubjectId
from tonnage.billing.month import BuyerMonth, SubjectMonth
from tonnage.billing.month_record import length_prefixed, written_buyer, written_subject
from tonnage.money import Money, total


class StoredSubject(NamedTuple):
    """What a statement is computed from: a partner or a storage account."""

    statement_id: UUID
    position: int
    subject_id: SubjectId
    written: bytes


class Inputs:
    """What a statement is computed from, as it is written, with the digest of all of it."""

    def __init__(self, statement_id: UUID, buyer: BuyerMonth) -> None:
        self.statement_id = statement_id
        self.buyer = buyer
        self.written = written_buyer(buyer)
        self.count = 0
        """Of the subjects so far."""
        self._digest = hashlib.sha256(length_prefixed(self.written))

    def add(self, subject: SubjectMonth) -> StoredSubject:
        """The next subject, as it is stored."""
        written = written_subject(subject)
        self._digest.update(length_prefixed(written))
        self.count += 1
        return StoredSubject(self.statement_id, self.count, subject.id, written)

    @property
    def digest(self) -> str:
        """SHA-256, hexadecimal, of the buyer and its subjects in their order."""
        return self._digest.hexdigest()


class Rated(NamedTuple):
    """What a buyer is charged by its use, terms and prices, and what that is computed from."""

    inputs: Inputs
    lines: Sequence[Line]
    subjects: Sequence[StoredSubject] = ()
    """Those of `inputs` that are not stored yet."""

    @property
    def net(self) -> Money:
        """The sum of the lines."""
        return total((line.amount for line in self.lines), self.inputs.buyer.currency)
