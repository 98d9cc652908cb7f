"""The transferred bytes of a page for a browser with an empty cache: the page itself and its files."""

import re

import httpx
import pytest

from tests.api.conftest import AccountData, AppClient
from tests.console.test_statement_counts import MANY, Reader, grow, readers

__all__ = ["readers"]
"""A fixture of the statement counts."""

pytestmark = pytest.mark.anyio

MOST, MOST_WITH_CHART = 100_000, 200_000
"""Bytes."""

_FILE = re.compile(r'(?:src|href)="(/static/[^"]+)"')


async def _transferred(http: httpx.AsyncClient, path: str) -> tuple[int, str]:
    """Bytes of the body as sent, and its text if it is HTML."""
    headers = {"Accept": "text/html", "Accept-Encoding": "gzip"}
    async with http.stream("GET", path, headers=headers) as answer:
        sent = b"".join([part async for part in answer.aiter_raw()])
        decoded = httpx.Response(200, headers=answer.headers, content=sent)
    return len(sent), decoded.text if "html" in answer.headers.get("content-type", "") else ""


async def test_no_page_is_heavy(readers: list[Reader], client: AppClient, data: AccountData) -> None:
    """Including each list at its longest."""
    await grow(client, data, MANY)
    heavy: list[tuple[str, int]] = []
    seen = 0
    for reader in readers:
        for path in reader.pages(client).values():
            for query in ("", "?size=250"):
                weight, text = await _transferred(reader.browser.http, path + query)
                if not text:  # a file, or a redirect
                    continue
                files = sorted(set(_FILE.findall(text)))
                weight += sum([(await _transferred(reader.browser.http, file))[0] for file in files])
                seen += 1
                if weight > (MOST_WITH_CHART if "uPlot" in text else MOST):
                    heavy.append((path + query, weight))
    assert heavy == []
    assert seen > 100


async def test_a_page_travels_compressed_where_that_is_understood(readers: list[Reader]) -> None:
    browser = readers[0].browser
    for accepted, encoding in (("gzip", "gzip"), ("identity", None), ("gzip;q=0", None)):
        answer = await browser.http.get("/operator", headers={"Accept-Encoding": accepted})
        assert answer.headers.get("content-encoding") == encoding
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.text.rstrip().endswith("</html>")
