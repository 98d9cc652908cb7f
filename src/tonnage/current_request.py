"""The HTTP request that is being handled: who sent it, for the audit log and the log lines of everything that it does.

A context variable, as the limit of waits is: no action can forget to pass it on. Commands and jobs have none.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CurrentRequest:
    """A request."""

    id: str
    """At most 64 of `A-Za-z0-9._-`."""
    find_address: Callable[[], str | None]
    """See `address`. Most requests are never asked."""

    @property
    def address(self) -> str | None:
        """The client's IP address; None if its connection has none."""
        return self.find_address()

    def as_json(self) -> dict[str, object]:
        """As the SQL function `audit` reads it."""
        return {"request": self.id, "address": self.address}


current_request: ContextVar[CurrentRequest | None] = ContextVar("current_request", default=None)
