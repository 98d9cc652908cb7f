"""Chromium on a server with the sample data. Everything is sync: the browser's driver has its own event loop."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, Protocol

import psycopg
import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, Page, expect, sync_playwright
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.api.conftest import CHEAP
from tests.browser.stub_page import StubPage
from tests.browser.watch import Watch, watched
from tests.served import served
from tonnage.asgi import create_app
from tonnage.clock import system_time
from tonnage.db import connect
from tonnage.demo import prepare, scene
from tonnage.passwords import Passwords
from tonnage.sealing import create_key_file

_FLAGS = (
    "--no-sandbox",  # which needs more rights than a container has
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--accept-lang=en-US",  # without windows it has no language of its own
)


# Best without windows, which nobody sees here: half of the CPU. Debian builds both from one source.
_CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
_MISSING = (
    "Console and Swagger UI were not tried out in a real browser; for that: apt-get install chromium-headless-shell"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Chromium the summary has one line about all of these tests: skips by one marker are counted together."""
    for item in items:
        if _CHROMIUM is None and item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=_MISSING))


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    """Debian's Chromium. Module scope at most: while it is open, no other event loop can run in this process."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_FLAGS))
        yield opened
        opened.close()


# Long enough for a busy machine; an assertion that holds returns at once.
expect.set_options(timeout=20_000)


@dataclass(frozen=True)
class Demo:
    """A server with the sample data."""

    origin: str
    keys: dict[str, str]
    members: list[dict[str, str]]
    """Each with `email`, `password`, the name of the `organisation`, `role`."""
    settings: dict[str, str]
    """The environment variables with which a command of `tonnage` uses the same database."""

    def login(self, audience: str, role: str) -> dict[str, str]:
        """The first member with that role in the audience's organisation."""
        organisation = AUDIENCES[audience]
        found = [one for one in self.members if (one["organisation"], one["role"]) == (organisation, role)]
        assert found, f"demo.json has no {role} of {organisation}"
        return found[0]


AUDIENCES = {
    "operator": "Operator",
    "distributor": scene.DISTRIBUTOR.name,
    "partner": scene.DISTRIBUTOR.contracts[0].partners[0].name,
}
"""The organisation whose members open an audience's pages: the operator, and those of the walk-through."""


@dataclass(frozen=True)
class Sample:
    """The sample data, loaded once per worker: loading takes longer than the rest of a demo's start."""

    server: str
    database: str
    folder: Path

    def copied_to(self, folder: Path) -> str:
        """Copies the database, whose URL is returned, and the files that belong to its data."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return make_conninfo(self.server, dbname=_new_database(self.server, self.database))


@pytest.fixture(scope="session")
def sample(server: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """The original: modules copy it, and never connect to it."""
    folder, name = tmp_path_factory.mktemp("sample"), _new_database(server, template)
    create_key_file(folder / "secret.key")
    with start_blocking_portal() as portal:  # this thread's event loop may be the browser's
        portal.call(_load, make_conninfo(server, dbname=name), folder)
    return Sample(server, name, folder)


async def _load(conninfo: str, folder: Path) -> None:
    async with connect(conninfo) as database:
        await prepare(database, folder, "http://nowhere/v1", system_time(), passwords=Passwords(CHEAP))


def _new_database(server: str, template: str) -> str:
    name = f"browser_{uuid.uuid4().hex}"
    copied = sql.SQL("create database {} template {} strategy file_copy")
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(copied.format(sql.Identifier(name), sql.Identifier(template)))
    return name


@pytest.fixture(scope="module")
def demo(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Generator[Demo]:
    """On a database of its own and a free port, without a worker. One test of a module may change its data.

    A thread of this process serves it, which has loaded the program: a process of its own takes four seconds for that.
    """
    folder = tmp_path_factory.mktemp("demo")
    conninfo = sample.copied_to(folder)
    app = create_app(
        conninfo, with_samples=True, passwords=Passwords(CHEAP), key_file=folder / "secret.key", data_dir=folder
    )
    with served(app) as origin:
        yield _known(origin, folder, {"TONNAGE_DATABASE_URL": conninfo})


def _known(origin: str, folder: Path, settings: dict[str, str]) -> Demo:
    written = json.loads((folder / "demo.json").read_text())
    return Demo(origin, written["keys"], written["members"], settings)


@contextlib.contextmanager
def serving(sample: Sample, data_dir: Path, **settings: str) -> Generator[Demo]:
    """A running `tonnage serve --demo` with its worker, on a copy of the sample data, for tests that need its jobs."""
    command = (sys.executable, "-m", "tonnage", "serve", "--demo", "--port", "0")
    settings |= {
        "TONNAGE_DATABASE_URL": sample.copied_to(data_dir),
        "TONNAGE_DATA_DIR": str(data_dir),
        "TONNAGE_SECRET_KEY_FILE": str(data_dir / "secret.key"),
    }
    with subprocess.Popen(command, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield _known(_origin(process.stdout), data_dir, settings)
        finally:
            process.terminate()


def _origin(output: IO[str]) -> str:
    """Waits for the last line of a start."""
    printed: list[str] = []
    for line in output:  # which ends with the process, so that a failed start does not wait forever
        printed.append(line)
        if line.startswith("Bearer "):
            served = re.search(r"serves (http://\S+)/v1", "".join(printed))
            assert served, printed
            return served.group(1)
    pytest.fail(f"the server has not started: {''.join(printed)}")


@dataclass(frozen=True)
class Tab:
    """A page and the watch of its browser context."""

    page: Page
    watch: Watch


Theme = Literal["light", "dark"]


class Enter(Protocol):
    """`signed_in("distributor", "staff")`: a page of a member of the demo, signed in by the form of /sign-in."""

    def __call__(
        self, audience: str, role: str = "admin", *, width: int = 1440, theme: Theme = "light", scripts: bool = True
    ) -> Tab: ...


@pytest.fixture
def visit(browser: Browser, demo: Demo) -> Generator[Tab]:
    """Swagger UI in a new browser context."""
    with (
        browser.new_context(viewport={"width": 1280, "height": 1000}) as context,
        watched(context, demo.origin) as watch,
    ):
        page = context.new_page()
        page.goto(f"{demo.origin}/swagger/index.html")
        page.locator(".opblock").first.wait_for()
        yield Tab(page, watch)


@pytest.fixture
def stub(browser: Browser) -> Generator[StubPage]:
    """For tests of scripts on pages made for the test."""
    with browser.new_context(viewport={"width": 900, "height": 700}) as context:
        shown = StubPage(context)
        with watched(context, shown.origin):
            yield shown


_BEGINS = {"distributor": "/distributor/partners", "partner": "/partner/accounts"}
"""With which lists the tests of these audiences begin."""


@pytest.fixture
def signed_in(browser: Browser, demo: Demo) -> Generator[Enter]:
    """A browser context for each call; each one's watch is checked at the end."""
    with contextlib.ExitStack() as stack:

        def enter(
            audience: str, role: str = "admin", *, width: int = 1440, theme: Theme = "light", scripts: bool = True
        ) -> Tab:
            context = stack.enter_context(
                browser.new_context(
                    viewport={"width": width, "height": 900}, color_scheme=theme, java_script_enabled=scripts
                )
            )
            watch = stack.enter_context(watched(context, demo.origin))
            page = context.new_page()
            sign_in(page, demo, audience, role)
            if begins := _BEGINS.get(audience):
                page.goto(demo.origin + begins)
            return Tab(page, watch)

        yield enter


def sign_in(page: Page, demo: Demo, audience: str, role: str) -> None:
    """Signs in as a member of the demo."""
    login = demo.login(audience, role)
    page.goto(f"{demo.origin}/sign-in")
    page.locator("[name=email]").fill(login["email"])
    page.locator("[name=password]").fill(login["password"])
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
