"""Sandboxes in databases of their own, and what their accounts have used."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from argon2 import PasswordHasher

from tests.cast import Cast
from tonnage.access.actor import Actor
from tonnage.db import connect
from tonnage.passwords import Passwords
from tonnage.regions.backends import open_backends
from tonnage.sandbox import creation
from tonnage.sandbox.actions import advance
from tonnage.sandbox.level import UsageLevel
from tonnage.sandbox.level_actions import set_usage
from tonnage.sandbox_clock import SandboxClock
from tonnage.services import Services
from tonnage.usage.period import Period
from tonnage.usage.queries import usage_of_account
from tonnage.utc import day_of

CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
URL = "http://127.0.0.1:8080/v1"


def at(day: str) -> datetime:
    """A day's beginning, or a moment: `2026-11-01T12:00`."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


@dataclass
class Process:
    """One process of a sandbox: its connections, and what it knows of the clock. No worker runs its jobs."""

    conninfo: str
    folder: Path
    services: Services
    cast: Cast

    async def advance(self, to: str) -> datetime:
        await advance(self.services, self.cast.operator, at(to))
        self.cast.now = self.services.business_clock()
        return self.cast.now

    async def set_usage(self, account: int, first: str, last: str, size: int) -> int:
        level = UsageLevel(date.fromisoformat(first), date.fromisoformat(last), size)
        now = await self.services.business_now()
        return await self.services.database.transaction(set_usage, self.cast.operator, account, level, now)

    async def partner(self) -> Actor:
        distributor = await self.cast.distributor()
        return await self.cast.partner(distributor, await self.cast.contract(distributor))

    async def used(self, partner: Actor, account: int, first: str, last: str) -> dict[str, int]:
        """The daily values of the account's report."""
        period = Period(date.fromisoformat(first), date.fromisoformat(last))
        today = day_of(await self.services.business_now())
        whose = partner.organisation_id
        found = await self.services.database.run(usage_of_account, whose, whose, account, period, today)
        assert found is not None
        return {day["date"]: day["usage"] for day in json.loads(found)["daily_usage"]}


@asynccontextmanager
async def process(conninfo: str, folder: Path) -> AsyncGenerator[Process]:
    """A process on the database of a sandbox, or on another one."""
    clock = SandboxClock()
    async with connect(conninfo) as database, open_backends(database, None) as backends:
        await database.run(clock.find)
        services = Services(database, backends, data_dir=folder, passwords=CHEAP, **clock.options)
        cast = await Cast.of(database)
        cast.now = services.business_clock()
        yield Process(conninfo, folder, services, cast)


async def prepared(process: Process, begins: str | None = None) -> creation.Sandbox:
    """Makes the database a sandbox, or finds the one that is there."""
    day = date.fromisoformat(begins) if begins else None
    made = await creation.prepare(process.services, process.folder, URL, day)
    process.cast.now = process.services.business_clock()
    return made
