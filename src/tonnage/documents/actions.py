"""Makes documents."""

import asyncio
import base64
from collections.abc import Mapping
from typing import Any

from tonnage.documents.paper import Paper
from tonnage.documents.typesetting import typeset


async def render(statement: Mapping[str, Any]) -> bytes:
    """The PDF/A-3b of a statement, which is given as its JSON: the same bytes for the same JSON.

    In a thread: typst works without the interpreter's lock, so requests go on meanwhile.
    """
    return await asyncio.to_thread(rendered, statement)


def rendered(statement: Mapping[str, Any]) -> bytes:
    """The same, for callers that have a thread of their own."""
    paper = Paper(statement)
    return typeset(paper.texts(), base64.b64decode(paper.logo), paper.day)
