"""What a storage plane can do for Tonnage. Features know planes only by this protocol."""

from typing import Protocol


class StoragePlane(Protocol):
    """The cluster behind a region."""

    enforces: bool
    """Whether it holds accounts to their quota. A plane that does not is metered only: excess shows in the usage."""

    async def purge(self, account_id: int) -> None:
        """Removes the account and all that it stores. Doing it again changes nothing.

        Raises Unavailable when it may work later; the account is then purged later.
        """
        ...
