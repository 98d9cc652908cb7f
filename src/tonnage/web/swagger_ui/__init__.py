"""The page for trying the API: Swagger UI at /swagger/index.html, with everything it needs served from here.

The assets come from their official package, put here by the build hook. Only this page may use inline styles and
`data:` images, which Swagger UI needs; its own script is a file, so that inline scripts stay forbidden everywhere.
"""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

_HERE = Path(__file__).parent

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_FILES = {
    "index.html": (_HERE / "index.html", "text/html"),
    "start.js": (_HERE / "start.js", "text/javascript"),
    "swagger-ui.css": (_HERE / "assets/swagger-ui.css", "text/css"),
    "swagger-ui-bundle.js": (_HERE / "assets/swagger-ui-bundle.js", "text/javascript"),
    "favicon-32x32.png": (_HERE / "assets/favicon-32x32.png", "image/png"),
}


def install(app: FastAPI, files: Mapping[str, tuple[Path, str]] = _FILES) -> None:
    """Serve the page and its files. Raises RuntimeError when the build hook has not put the assets in place."""
    for name, (path, media_type) in files.items():
        if not path.is_file():
            raise RuntimeError(f"{path} is missing; run: make setup")
        app.add_route(f"/swagger/{name}", _serving(path.read_bytes(), media_type), include_in_schema=False)


def _serving(content: bytes, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    headers = {"Content-Security-Policy": _POLICY} if media_type == "text/html" else {"Cache-Control": "max-age=3600"}

    async def serve(_: Request) -> Response:
        return Response(content, headers=headers, media_type=media_type)

    return serve
