"""How often a key can be used: a token bucket, and the headers that describe it (draft-ietf-httpapi-ratelimit-headers).

A full bucket holds the requests of WINDOW seconds, so these can be made at once; after that as many a second as the
limit says.
"""

from dataclasses import dataclass
from datetime import datetime
from math import ceil

from tonnage.access.actor import Actor, Kind
from tonnage.errors import Invalid, Sentence

WINDOW = 10
"""Seconds until an empty bucket is full again."""

MOST = 1_000_000
"""The highest limit, in requests per second."""

_ROUNDING = 1e-6
"""Sums of fractions of a request are not exact."""


@dataclass(frozen=True, slots=True)
class KeyLimit:
    """The limit of a key."""

    requests_per_second: int | None
    """None: the default of the installation."""

    def require(self, actor: Actor, default: int) -> None:
        """Raises Invalid unless the actor can give a key this limit: only the operator gives more than the default."""
        most = MOST if actor.kind is Kind.OPERATOR else default
        if self.requests_per_second is not None and not 1 <= self.requests_per_second <= most:
            raise Invalid.field(
                "requestsPerSecond",
                "must be from 1 to {most}" if most == MOST else "must be from 1 to {most}; ask the operator for more",
                most=most,
            )


DEFAULT = KeyLimit(None)


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """The state of a key's bucket after a request."""

    rate: int
    """Requests per second."""
    used: float
    """Requests that were made and are not regained yet."""
    at: datetime
    """When the request was made."""
    has_admitted: bool
    """Whether there was room for it. A refused one uses nothing."""

    @property
    def remaining(self) -> int:
        """How many requests can be made at once now."""
        return int(self.rate * WINDOW - self.used + _ROUNDING)

    @property
    def reset_after(self) -> int:
        """Whole seconds until the bucket is full again; with nothing left, until the next request can be made."""
        missing = self.used if self.remaining else self.used + 1 - self.rate * WINDOW
        return max(1, ceil(missing / self.rate - _ROUNDING))

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The policy, and what is left of it."""
        return [
            (b"ratelimit-policy", b'"default";q=%d;w=%d' % (self.rate * WINDOW, WINDOW)),
            (b"ratelimit", b'"default";r=%d;t=%d' % (self.remaining, self.reset_after)),
        ]

    @property
    def refusal(self) -> Sentence:
        """Why the request was not admitted."""
        return Sentence(
            "Too many requests: this API key can make {limit} a second on average, and {burst} at once. Send them more "
            "slowly, and this one again after as many seconds as the header Retry-After says.",
            limit=self.rate,
            burst=self.rate * WINDOW,
        )


def take(before: TokenBucket | None, rate: int, now: datetime) -> TokenBucket:
    """The bucket after a request at `now`, which it has admitted or not. None: it was full.

    The limit may have changed since, and the clock may have been set back: then nothing is regained for that time.
    """
    used = 0.0
    if before is not None:
        regained = max((now - before.at).total_seconds(), 0.0) * rate
        used = max(min(before.used, float(rate * WINDOW)) - regained, 0.0)
    has_room = used + 1 <= rate * WINDOW + _ROUNDING
    return TokenBucket(rate, used + 1 if has_room else used, now, has_room)
