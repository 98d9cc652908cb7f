"""Static files for browsers. The URL of each changes with its content, so that browsers can cache it permanently."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tonnage.web.compression import accepts_gzip, compressed

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
}
"""The extensions that are served; other files of a folder, such as licences and source, are not."""


@dataclass(frozen=True)
class _File:
    content: bytes
    packed: bytes
    headers: dict[str, str] = field(repr=False)
    packed_headers: dict[str, str] = field(repr=False)


class StaticFiles:
    """The files of some folders, read and compressed at construction.

    Raises RuntimeError for a folder that the build hook has not filled, and ValueError for two files of the same name.
    """

    def __init__(self, *folders: Path) -> None:
        self._urls: dict[str, str] = {}
        self._files: dict[str, _File] = {}
        for folder in folders:
            found = [path for path in sorted(folder.glob("*")) if path.suffix in _MEDIA_TYPES]
            if not found:
                raise RuntimeError(f"{folder} has no files; run: make setup")
            for path in found:
                self._add(path)

    def _add(self, path: Path) -> None:
        if path.name in self._urls:
            raise ValueError(f"{path.name} is in two folders; rename one")
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:12]
        named = f"{path.stem}.{digest}{path.suffix}"
        self._urls[path.name] = f"/static/{named}"
        self._files[named] = _file(content, digest, _MEDIA_TYPES[path.suffix])

    def url(self, name: str) -> str:
        """The URL of the present content of a file. Raises RuntimeError for a file that does not exist."""
        try:
            return self._urls[name]
        except KeyError:
            raise RuntimeError(f"{name} is not among the files to be served; run: make setup") from None

    def install(self, app: FastAPI) -> None:
        """Serves them. A request never becomes a path of the file system: it is looked up among known names."""
        app.add_route("/static/{name}", self._serve, include_in_schema=False)

    async def _serve(self, request: Request) -> Response:
        file = self._files.get(request.path_params["name"])
        if file is None:
            raise HTTPException(404)
        packs = accepts_gzip(request.headers) and len(file.packed) < len(file.content)
        content, headers = (file.packed, file.packed_headers) if packs else (file.content, file.headers)
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(None, 304, {name: headers[name] for name in ("ETag", "Cache-Control", "Vary")})
        return Response(content, headers=headers)


def _file(content: bytes, digest: str, media_type: str) -> _File:
    headers = {
        "Content-Type": media_type,
        "Cache-Control": "public, max-age=31536000, immutable",
        "ETag": f'"{digest}"',
        "Vary": "Accept-Encoding",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    # A strong ETag identifies bytes, so the compressed ones have another ETag.
    packed_headers = {**headers, "Content-Encoding": "gzip", "ETag": f'"{digest}-gzip"'}
    return _File(content, compressed(content), headers, packed_headers)
