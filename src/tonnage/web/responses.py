"""Responses with a finished body: JSON that PostgreSQL has rendered, or nothing."""

from starlette.responses import Response


class Json(Response):
    """`Json(document, status)`; the document is sent unchanged."""

    media_type = "application/json"


class NoContent(Response):
    """204, for what is deleted or will be."""

    def __init__(self) -> None:
        super().__init__(status_code=204)
