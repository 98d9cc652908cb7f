"""Entity tags (RFC 9110, 8.8.3): `"7"` is the seventh revision of what people set."""

import re
from collections.abc import Sequence
from typing import Any

from tonnage.errors import Malformed

_STRONG = re.compile(r'"([^"]*)"')
_REVISION = re.compile(r"[0-9]{1,18}", re.ASCII)

PARAMETER: dict[str, Any] = {
    "name": "If-Match",
    "in": "header",
    "description": "The `ETag` of the object as you know it. If it has been changed since, nothing is changed (412).",
    "schema": {"type": "string"},
}
"""The parameter as in an OpenAPI 3 operation."""

NO_REVISION = 0
"""Revisions begin with 1: nothing is in this one."""


def entity_tag(revision: int) -> str:
    """The value of the ETag header."""
    return f'"{revision}"'


def expected_revision(if_match: Sequence[str]) -> int | None:
    """The revision that the values of If-Match ask for; None if any will do.

    A weak tag matches nothing (RFC 9110, 13.1.1), nor does a tag that is not ours. Malformed: there are several tags,
    or quotes are missing.
    """
    given = [value.strip() for value in if_match]
    if not given or given == ["*"]:
        return None
    strong = _STRONG.fullmatch(given[0].removeprefix("W/")) if len(given) == 1 else None
    if strong is None:
        raise Malformed('The header If-Match must be the ETag of one response, in its quotes, such as "7".')
    is_ours = not given[0].startswith("W/") and _REVISION.fullmatch(strong[1])
    return int(strong[1]) if is_ours else NO_REVISION
