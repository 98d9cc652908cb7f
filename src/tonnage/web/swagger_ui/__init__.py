"""The page for trying the API: Swagger UI at /swagger/index.html, with everything it needs served from here.

The assets come from their official package, put here by the build hook. Only this page may use inline styles and
`data:` images, which Swagger UI needs; its own script is a file, so that inline scripts stay forbidden everywhere.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tonnage.web.compression import constant_response

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
    for path in ("/swagger", "/swagger/"):
        app.add_route(path, _to_page, include_in_schema=False)


async def _to_page(_: Request) -> Response:
    return RedirectResponse("/swagger/index.html")


def _serving(content: bytes, media_type: str) -> Callable[[Request], Response]:
    headers = {"Content-Security-Policy": _POLICY} if media_type == "text/html" else {"Cache-Control": "max-age=3600"}

    # Not async: Starlette runs it in a thread, so that compressing a file blocks no other request.
    def serve(request: Request) -> Response:
        return constant_response(request.headers, content, media_type, headers)

    return serve
