"""What `tonnage serve` prepares before it serves anything: sample data, or a sandbox."""

import asyncio
import shlex
from dataclasses import dataclass
from datetime import date

import click

from tonnage import demo
from tonnage.cli.context import key_file
from tonnage.clock import system_time
from tonnage.config import Settings
from tonnage.db import connect
from tonnage.regions.backends import open_backends
from tonnage.sandbox import creation
from tonnage.sandbox_clock import SandboxClock
from tonnage.services import Services


@dataclass(frozen=True)
class PreparedData:
    """What was asked for. `begins`: the day of a new sandbox; None: today. Raises click.UsageError: not both."""

    demo: bool = False
    sandbox: bool = False
    begins: date | None = None

    def __post_init__(self) -> None:
        if self.demo and self.sandbox:
            raise click.UsageError("--demo and --sandbox exclude each other: a sandbox begins empty.")
        if self.begins is not None and not self.sandbox:
            raise click.UsageError("--at says when a sandbox begins; give --sandbox too.")

    @property
    def is_any(self) -> bool:
        """Whether there is anything to prepare."""
        return self.demo or self.sandbox

    def prepare(self, conninfo: str, settings: Settings, base_url: str, clock: SandboxClock) -> list[str]:
        """Prepares it, unless it is there; returns lines about it, to print. Raises click.UsageError: it cannot be."""
        if not self.is_any:
            return []
        # With a database elsewhere nothing has needed the directory so far.
        try:
            settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.demo:
                return asyncio.run(_demo(conninfo, settings, base_url))
            return asyncio.run(_sandbox(conninfo, settings, base_url, clock, self.begins))
        except (demo.DemoRefused, creation.SandboxRefused) as error:
            raise click.UsageError(str(error)) from error


async def _demo(conninfo: str, settings: Settings, base_url: str) -> list[str]:
    async with connect(conninfo, size=2, streams=1) as database:
        prepared = await demo.prepare(database, settings.data_dir, base_url, system_time())
    return [
        f"Sign in as one of these members; passwords and API keys are in {prepared.key_file}:",
        *(f"  {organisation}: {', '.join(emails)}" for organisation, emails in prepared.logins.items()),
        *_to_try(prepared.admin_key),
    ]


async def _sandbox(
    conninfo: str, settings: Settings, base_url: str, clock: SandboxClock, begins: date | None
) -> list[str]:
    keys, data_dir = key_file(settings), settings.data_dir
    async with connect(conninfo, size=4, streams=1) as database, open_backends(database, keys) as backends:
        services = Services(database, backends, key_file=keys, data_dir=data_dir, **clock.options)
        prepared = await creation.prepare(services, data_dir, base_url, begins)
    place = "--database-url URL" if settings.database_url else f"--data-dir {shlex.quote(str(data_dir))}"
    return [
        f"This is a sandbox; its clock stands at {prepared.time:%Y-%m-%d %H:%M:%S} UTC.",
        f"Sign in as {creation.LOGIN.email}; the password and an API key are in {prepared.key_file}",
        f"Advance the clock with: tonnage sandbox advance DAY {place}",
        *_to_try(prepared.admin_key),
    ]


def _to_try(key: str) -> list[str]:
    return ["To try the API, press Authorize and paste:", f"Bearer {key}"]
