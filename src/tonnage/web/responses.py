"""Replies whose body is ready: JSON that PostgreSQL has rendered, or nothing."""

from starlette.responses import Response


class Json(Response):
    """`Json(document, status)`; the document goes out as it is."""

    media_type = "application/json"


class NoContent(Response):
    """204, for what is gone or was asked to go."""

    def __init__(self) -> None:
        super().__init__(status_code=204)
