"""Who pays for a month: a contract, a partner or a storage account."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from tonnage.errors import NotFound


class Level(StrEnum):
    """What is sold, by the kind of the buyer."""

    CONTRACT = "contract"
    """By the operator to a distributor."""
    PARTNER = "partner"
    """By a distributor."""
    ACCOUNT = "account"
    """By a partner."""


@dataclass(frozen=True)
class Buyer:
    """A buyer and its seller."""

    level: Level
    id: UUID | int
    name: str
    seller_id: UUID
    seller_name: str

    def draft_id(self, month: date) -> str:
        """The id of the draft of a month."""
        return f"draft-{self.id}-{month:%Y-%m}"


def no_statement(statement_id: str) -> NotFound:
    """The same for one that does not exist and one of others."""
    return NotFound("There is no statement {statement}.", statement=statement_id)
