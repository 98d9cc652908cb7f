"""`tonnage sandbox`: the clock of a sandbox, and what its accounts store."""

import json
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import TypeVar

import click

from tonnage.accounts.actions import account_number
from tonnage.cli.context import Session, key_file, of_sandbox, on_database, run
from tonnage.cli.output import as_json
from tonnage.cli.param_types import BYTES, DAY, MOMENT
from tonnage.config import Settings
from tonnage.regions.backends import open_backends
from tonnage.sandbox.actions import advance, require_sandbox
from tonnage.sandbox.level import UsageLevel
from tonnage.sandbox.level_actions import set_usage
from tonnage.services import Services
from tonnage.units import format_size
from tonnage.web.timestamps import timestamp_text

T = TypeVar("T")


@click.group()
def sandbox() -> None:
    """A sandbox, which `tonnage serve --sandbox` makes, and whose clock stands until it is advanced."""


def _with_services(settings: Settings, work: Callable[[Session, Services], Awaitable[T]]) -> T:
    settings = of_sandbox(settings)

    async def in_session(session: Session) -> T:
        async with open_backends(session.database, key_file(settings)) as backends:
            services = Services(
                session.database,
                backends,
                key_file=key_file(settings),
                data_dir=settings.data_dir,
                deletion_grace_days=settings.deletion_grace_days,
                **session.clock.options,
            )
            require_sandbox(services)
            return await work(session, services)

    return run(settings, in_session)


@sandbox.command("advance")
@click.argument("until", metavar="TIME", type=MOMENT)
@as_json
@on_database
def advance_(settings: Settings, until: datetime, as_json: bool) -> None:
    """Advance the clock to TIME, such as 2026-12-04 for its midnight UTC, or 2026-12-04T18:00:00Z.

    It goes day by day, and does for each day what recurs: usage is sampled, due accounts are deleted, old days closed.
    It never goes back. If it is interrupted, the same command goes on.
    """

    async def work(session: Session, services: Services) -> datetime:
        return await advance(services, session.operator, until)

    _show(_with_services(settings, work), as_json=as_json)


@sandbox.command()
@as_json
@on_database
def clock(settings: Settings, as_json: bool) -> None:
    """Show the time of the sandbox."""

    async def work(session: Session, services: Services) -> datetime:
        return session.now

    _show(_with_services(settings, work), as_json=as_json)


@sandbox.command()
@click.argument("account")
@click.option("--from", "first", type=DAY, required=True, metavar="DAY", help="The first day, UTC.")
@click.option("--to", "last", type=DAY, required=True, metavar="DAY", help="The last day, UTC.")
@click.option("--bytes", "size", type=BYTES, required=True, help="What the account stores, such as 10TB.")
@as_json
@on_database
def usage(settings: Settings, account: str, first: date, last: date, size: int, as_json: bool) -> None:
    """Set what a storage account stores on each day of a range, in the past or to come.

    Afterwards it stores again what it stored before. Of two ranges with the same day the later command counts. Days
    that are closed for readings, more than 40 days ago, are refused.
    """
    level = UsageLevel(first, last, size)

    async def work(session: Session, services: Services) -> int:
        number = account_number(account)
        return await session.database.transaction(set_usage, session.operator, number, level, session.now)

    recorded = _with_services(settings, work)
    planned = (level.last - level.first).days + 1 - recorded
    if as_json:
        click.echo(json.dumps({"account": account, "bytes": size, "recorded": recorded, "planned": planned}))
    else:
        click.echo(
            f"Storage account {account} stores {format_size(size)} ({size} bytes) from {level.first} to {level.last}: "
            f"{recorded} days are recorded, {planned} days follow as the clock reaches them."
        )


def _show(time: datetime, *, as_json: bool) -> None:
    text = timestamp_text(time)
    click.echo(json.dumps({"time": text}) if as_json else f"The clock of this sandbox is at {text}.")
