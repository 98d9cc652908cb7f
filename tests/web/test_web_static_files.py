import gzip
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from tonnage.web.static_files import StaticFiles

pytestmark = pytest.mark.anyio

STYLE = "body { color: #16202a } /* Größe */\n" * 50


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "page.css").write_text(STYLE, encoding="utf-8")
    (tmp_path / "some.part.min.js").write_text("1")
    (tmp_path / "mark.png").write_bytes(b"\x89PNG")
    (tmp_path / "LICENSE").write_text("Be kind.")
    (tmp_path / ".package-lock.json").write_text("{}")
    return tmp_path


@pytest.fixture
def statics(folder: Path, bare: FastAPI) -> StaticFiles:
    statics = StaticFiles(folder)
    statics.install(bare)
    return statics


@pytest.fixture
async def http(statics: StaticFiles, bare: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(bare), base_url="http://t") as client:
        yield client


async def test_a_file_is_kept_for_good_at_an_address_of_its_content(
    statics: StaticFiles, folder: Path, http: httpx.AsyncClient
) -> None:
    url = statics.url("page.css")
    assert re.fullmatch(r"/static/page\.[0-9a-f]{12}\.css", url)
    assert re.fullmatch(r"/static/some\.part\.min\.[0-9a-f]{12}\.js", statics.url("some.part.min.js"))
    answer = await http.get(url, headers={"accept-encoding": "identity"})
    assert (answer.status_code, answer.text) == (200, STYLE)
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers.get_list("cache-control") == ["public, max-age=31536000, immutable"]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await http.get(statics.url("mark.png"))).headers["content-type"] == "image/png"

    (folder / "page.css").write_text(f"{STYLE} ")
    assert StaticFiles(folder).url("page.css") != url


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("deflate, GZIP ; q=1.0 , br", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("br, gzip;q=0.0, identity", False),
        ("x-gzippy", False),
    ],
)
async def test_it_is_compressed_for_clients_that_accept_it(
    statics: StaticFiles, http: httpx.AsyncClient, accepted: str, packed: bool
) -> None:
    request = http.build_request("GET", statics.url("page.css"), headers={"accept-encoding": accepted})
    answer = await http.send(request, stream=True)
    raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == ("gzip" if packed else None)
    assert int(answer.headers["content-length"]) == len(raw)
    assert answer.headers["vary"] == "Accept-Encoding"
    assert (gzip.decompress(raw) if packed else raw) == STYLE.encode()
    assert (len(raw) < 200) is packed


async def test_a_file_that_compression_would_lengthen_is_not_compressed(
    statics: StaticFiles, http: httpx.AsyncClient
) -> None:
    answer = await http.get(statics.url("mark.png"), headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert answer.content == b"\x89PNG"


async def test_a_cached_file_is_not_sent_again(statics: StaticFiles, http: httpx.AsyncClient) -> None:
    plain = {"accept-encoding": "identity"}
    tag = (await http.get(statics.url("page.css"), headers=plain)).headers["etag"]
    again = await http.get(statics.url("page.css"), headers={**plain, "if-none-match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    of_packed = (await http.get(statics.url("page.css"), headers={"accept-encoding": "gzip"})).headers["etag"]
    assert of_packed != tag
    assert (await http.get(statics.url("page.css"), headers={**plain, "if-none-match": of_packed})).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["page.css", "page.000000000000.css", "LICENSE", ".package-lock.json", "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd"],
)
async def test_nothing_else_is_there(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(f"/static/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"


async def test_it_is_only_read(statics: StaticFiles, http: httpx.AsyncClient) -> None:
    assert (await http.head(statics.url("page.css"))).status_code == 200
    assert (await http.post(statics.url("page.css"))).status_code == 405


def test_a_missing_file_is_an_error_at_the_start(folder: Path, statics: StaticFiles) -> None:
    with pytest.raises(RuntimeError, match="run: make setup"):
        StaticFiles(folder, folder / "vendor")
    with pytest.raises(RuntimeError, match=r"other\.css .* run: make setup"):
        statics.url("other.css")
    with pytest.raises(ValueError, match="is in two folders"):
        StaticFiles(folder, folder)


def test_the_build_hook_has_put_the_libraries_in_place() -> None:
    vendor = Path(__file__).parents[2] / "src/tonnage/console/vendor"
    libraries = StaticFiles(vendor)
    assert all(libraries.url(name) for name in ("htmx.min.js", "uPlot.iife.min.js", "uPlot.min.css"))
    assert {path.name for path in vendor.glob("*.LICENSE")} == {"htmx.LICENSE", "uPlot.LICENSE"}
