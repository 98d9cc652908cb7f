"""Chromium on a real server with the sample data. Everything here is sync: the browser's driver has its own loop."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Generator
from dataclasses import dataclass
from typing import IO

import psycopg
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright
from psycopg import sql
from psycopg.conninfo import make_conninfo

_FLAGS = (
    "--no-sandbox",  # which needs more rights than a container gives
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


_CHROMIUM = shutil.which("chromium")
_MISSING = "Swagger UI was not tried out in a real browser; for that: apt-get install chromium"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Chromium the summary has one line about all of these tests: as marks, skips are counted together."""
    for item in items:
        if _CHROMIUM is None and item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=_MISSING))


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    """Debian's Chromium. For a module at most: while it is open, no other event loop can run in this process."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_FLAGS))
        yield opened
        opened.close()


@dataclass(frozen=True)
class Demo:
    """A running `tonnage serve --demo`."""

    origin: str
    keys: dict[str, str]


@pytest.fixture(scope="module")
def demo(server: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Demo]:
    """On a database of its own and a port that the system has picked. One test of a module may change its data."""
    data_dir = tmp_path_factory.mktemp("demo")
    name = f"browser_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
    command = (sys.executable, "-m", "tonnage", "serve", "--demo", "--port", "0", "--no-worker")
    settings = {"TONNAGE_DATABASE_URL": make_conninfo(server, dbname=name), "TONNAGE_DATA_DIR": str(data_dir)}
    with subprocess.Popen(command, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            _wait_for_the_key(process.stdout)
            known = json.loads((data_dir / "demo.json").read_text())
            yield Demo(known["base_url"].removesuffix("/v1"), known["keys"])
        finally:
            process.terminate()


def _wait_for_the_key(output: IO[str]) -> None:
    printed: list[str] = []
    for line in output:  # which ends with the process, so that a failed start is no endless wait
        printed.append(line)
        if line.startswith("Bearer "):
            return
    pytest.fail(f"the server has not started: {''.join(printed)}")


@dataclass(frozen=True)
class Visit:
    """A page, and what the browser complained about meanwhile: breaches of the content policy are among it."""

    page: Page
    complaints: list[str]


@pytest.fixture
def visit(browser: Browser, demo: Demo) -> Generator[Visit]:
    """Swagger UI, freshly opened. At the end it has asked nobody but its own server."""
    with browser.new_context(viewport={"width": 1280, "height": 1000}) as context:
        page = context.new_page()
        complaints: list[str] = []
        elsewhere: list[str] = []

        def listen(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                complaints.append(message.text)

        def watch(request: Request) -> None:
            if not request.url.startswith((f"{demo.origin}/", "data:")):
                elsewhere.append(request.url)

        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", watch)
        page.goto(f"{demo.origin}/swagger/index.html")
        page.locator(".opblock").first.wait_for()
        yield Visit(page, complaints)
        assert elsewhere == []
