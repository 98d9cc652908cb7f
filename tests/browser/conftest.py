"""Chromium on a real server with the sample data. Everything is sync: the browser's driver has its own event loop."""

import contextlib
import json
import os
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
from playwright.sync_api import Browser, Page, expect, sync_playwright
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.browser.stub_page import StubPage
from tests.browser.watch import Watch, watched
from tonnage.demo import scene
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
    """A running `tonnage serve --demo`."""

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
    with _served(make_conninfo(server, dbname=name), folder, "--no-worker"):
        return Sample(server, name, folder)


def _new_database(server: str, template: str) -> str:
    name = f"browser_{uuid.uuid4().hex}"
    copied = sql.SQL("create database {} template {} strategy file_copy")
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(copied.format(sql.Identifier(name), sql.Identifier(template)))
    return name


@pytest.fixture(scope="module")
def demo(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Generator[Demo]:
    """On a database of its own and a free port. One test of a module may change its data."""
    with serving(sample, tmp_path_factory.mktemp("demo"), "--no-worker") as running:
        yield running


@contextlib.contextmanager
def serving(sample: Sample, data_dir: Path, *options: str, **settings: str) -> Generator[Demo]:
    """A server with a copy of the sample data, and with a key file for second factors."""
    with _served(sample.copied_to(data_dir), data_dir, *options, **settings) as running:
        yield running


@contextlib.contextmanager
def _served(conninfo: str, data_dir: Path, *options: str, **settings: str) -> Generator[Demo]:
    command = (sys.executable, "-m", "tonnage", "serve", "--demo", "--port", "0", *options)
    settings |= {
        "TONNAGE_DATABASE_URL": conninfo,
        "TONNAGE_DATA_DIR": str(data_dir),
        "TONNAGE_SECRET_KEY_FILE": str(data_dir / "secret.key"),
    }
    with subprocess.Popen(command, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            _wait_for_the_key(process.stdout)
            known = json.loads((data_dir / "demo.json").read_text())
            yield Demo(known["base_url"].removesuffix("/v1"), known["keys"], known["members"], settings)
        finally:
            process.terminate()


def _wait_for_the_key(output: IO[str]) -> None:
    printed: list[str] = []
    for line in output:  # which ends with the process, so that a failed start does not wait forever
        printed.append(line)
        if line.startswith("Bearer "):
            return
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
