import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from tonnage.web import swagger_ui

pytestmark = pytest.mark.anyio


async def test_the_page_has_all_it_needs_and_nothing_from_elsewhere(bare: FastAPI) -> None:
    swagger_ui.install(bare)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(bare), base_url="http://t/swagger/") as client:
        page = await client.get("index.html")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert sorted(links) == ["doc.json", "favicon-32x32.png", "start.js", "swagger-ui-bundle.js", "swagger-ui.css"]
        for link in links:
            if link != "doc.json":
                asset = await client.get(link)
                assert asset.status_code == 200
                assert "content-security-policy" not in asset.headers
        assert "<script>" not in page.text
        for path in ("/swagger", "/swagger/"):
            assert (await client.get(f"http://t{path}", follow_redirects=True)).url == page.url


def test_missing_assets_are_said_when_the_application_is_made(bare: FastAPI, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="run: make setup"):
        swagger_ui.install(bare, {"swagger-ui.css": (tmp_path / "swagger-ui.css", "text/css")})
