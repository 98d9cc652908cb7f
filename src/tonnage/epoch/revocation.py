"""Revocations: API keys that were revoked, members who were removed. Recorded outside by their ids."""

import re
from collections.abc import Iterable
from uuid import UUID

API_KEY, MEMBER = "api-key", "member"

KIND_OF_ACTION = {"key.revoke": API_KEY, "member.delete": MEMBER}
"""The audit entries that say so."""

CLOSINGS = ("partner.close", "distributor.close")
"""So do these, of all members and keys of an organisation: its keys find no open organisation any more."""

PREFIX = "revoked/"

_KEY = re.compile(r"revoked/(api-key|member)/([0-9a-f-]{36})", re.ASCII)

Revocation = tuple[str, str]
"""Kind and id."""


def object_key(revocation: Revocation) -> str:
    """The name of the object that records a revocation; it has no content."""
    kind, one = revocation
    return f"{PREFIX}{kind}/{one}"


def parsed(keys: Iterable[str]) -> set[Revocation]:
    """The revocations that objects of these names record."""
    return {(match[1], match[2]) for key in keys if (match := _KEY.fullmatch(key))}


def ids(revocations: Iterable[Revocation], kind: str) -> list[UUID]:
    """The ids of one kind."""
    return [UUID(one) for of, one in sorted(revocations) if of == kind]
