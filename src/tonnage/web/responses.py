"""Responses with a finished body: JSON that PostgreSQL has rendered, or nothing."""

from starlette.responses import Response

from tonnage.web.entity_tag import entity_tag

FIRST_REVISION = 1
"""The revision of what has just been created."""


class Json(Response):
    """`Json(document, status, revision)`; the document is sent unchanged, the revision as its ETag."""

    media_type = "application/json"

    def __init__(self, content: bytes, status_code: int = 200, revision: int | None = None) -> None:
        super().__init__(content, status_code, None if revision is None else {"ETag": entity_tag(revision)})


class NoContent(Response):
    """204, for what is deleted or will be."""

    def __init__(self) -> None:
        super().__init__(status_code=204)
