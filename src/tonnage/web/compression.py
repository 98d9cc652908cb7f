"""Compressed responses, for clients that accept them."""

import gzip
import re
from collections.abc import Mapping

_GZIP = re.compile(r"(?:^|[\s,])gzip\s*(?:;\s*q=(?:1|0?\.\d*[1-9])\S*)?\s*(?:,|$)", re.IGNORECASE)
"""In Accept-Encoding: gzip without a weight, or with one that is not 0."""


def accepts_gzip(headers: Mapping[str, str]) -> bool:
    """Whether the client that sent these headers accepts gzip."""
    return _GZIP.search(headers.get("accept-encoding", "")) is not None


def compressed(content: bytes, level: int) -> bytes:
    """Compresses; equal content gives equal bytes. Level 9 is for cached content; 4 takes 1 ms for a page of 150 kB."""
    return gzip.compress(content, level, mtime=0)
