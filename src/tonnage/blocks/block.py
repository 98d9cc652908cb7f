"""A block: attempts to sign in that are refused for a while, after too many failures."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tonnage.errors import NotFound

ADDRESS = "address"
"""The kind of a block of failures at one address from everywhere. The others are those of `ThrottleKind`."""


class Block(NamedTuple):
    """A block that is in force."""

    id: UUID
    kind: str | None
    """What is refused. None: an older program has counted the failures."""
    network: str | None
    """The client's address or network; None: from everywhere."""
    failures: int
    since: datetime
    until: datetime
    member_id: UUID | None
    """None: there is no member with the address that was tried, or all attempts of a client are refused."""
    email: str | None
    name: str | None
    organisation_id: UUID | None
    organisation: str | None


def no_block(block_id: UUID) -> NotFound:
    """The block is over, or was lifted, or is out of scope: the same message for all three."""
    return NotFound("There is no block {block}. It may have ended.", block=str(block_id))
