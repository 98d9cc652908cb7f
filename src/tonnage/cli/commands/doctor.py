"""`tonnage doctor`: recomputes what is stored twice, and looks at everything around it."""

import asyncio
import json
from datetime import date
from typing import Any

import click

from tonnage.access import checks as access
from tonnage.access.checks import MOST_SHOWN, Check
from tonnage.access_keys import checks as access_keys
from tonnage.accounts import checks as accounts
from tonnage.api_keys import checks as api_keys
from tonnage.billing import checks as billing
from tonnage.cli import doctor_checks
from tonnage.cli.context import on_database, schema_state, some_database
from tonnage.cli.doctor_checks import Finding
from tonnage.cli.output import as_json
from tonnage.clock import system_time
from tonnage.config import Settings
from tonnage.contracts import checks as contracts
from tonnage.credit_notes import checks as credit_notes
from tonnage.db import Connection, connect
from tonnage.db.snapshot import take_snapshot
from tonnage.members import checks as members
from tonnage.metering import checks as metering
from tonnage.organisations import checks as organisations
from tonnage.partners import checks as partners
from tonnage.regions import checks as regions
from tonnage.sandbox_clock import SandboxClock
from tonnage.statements import checks as statements
from tonnage.usage import checks as usage
from tonnage.utc import day_of
from tonnage.web.timestamps import timestamp_text

_COMPARISONS = (
    *contracts.ALL,
    *partners.ALL,
    *accounts.ALL,
    *access_keys.ALL,
    *usage.ALL,
    *metering.ALL,
    *regions.ALL,
    *members.ALL,
    *api_keys.ALL,
    *billing.ALL,
    *statements.ALL,
    *credit_notes.ALL,
    *organisations.ALL,
    *access.ALL,
    doctor_checks.constraints,
)


@click.command()
@on_database
@as_json
def doctor(settings: Settings, as_json: bool) -> None:
    """Check the database, the totals and the secrets. Changes nothing.

    Prints a line per check, and the differences. Exit status 1 if a check fails. Servers can keep running.
    """
    with some_database(settings) as urls:
        # Without a pool, which would keep to itself why there is no connection.
        asyncio.run(schema_state(urls.program))
        results = asyncio.run(_examine(urls.program, settings))
    if as_json:
        click.echo(json.dumps([_document(result) for result in results]))
    else:
        for result in results:
            click.echo("\n".join(_lines(result)))
    if any(_status(result) == "FAIL" for result in results):
        raise SystemExit(1)


async def _examine(conninfo: str, settings: Settings) -> list[Finding | Check]:
    async with connect(conninfo, size=1, streams=1) as database:
        results: list[Finding | Check] = [*await database.run(doctor_checks.server)]
        schema = await database.run(doctor_checks.schema)
        results.append(schema)
        if schema.status == "ok":
            results.append(await database.run(doctor_checks.role))
            results.append(await database.run(doctor_checks.jobs))
            results.append(await database.run(doctor_checks.hold))
            results.append(await database.run(doctor_checks.secrets, settings))
            results.extend(await database.run(doctor_checks.proxy, settings, system_time()))
            clock = SandboxClock()
            await database.run(clock.find)
            if clock.time is not None:
                results.append(Finding("note", "sandbox", f"its clock stands at {timestamp_text(clock.time)}"))
            results.extend(await database.transaction(_compare, day_of(clock.read())))
    if not settings.database_url:
        results.append(doctor_checks.data_directory(settings.data_dir.resolve()))
    return results


async def _compare(conn: Connection, today: date) -> list[Check]:
    # One snapshot for all: totals and their parts are read in different statements while servers change both.
    await take_snapshot(conn)
    return [*[await comparison(conn) for comparison in _COMPARISONS], await usage.partitions(conn, today)]


def _status(result: Finding | Check) -> str:
    if isinstance(result, Finding):
        return result.status
    return "FAIL" if result.differing else "ok"


def _lines(result: Finding | Check) -> list[str]:
    if isinstance(result, Finding):
        return [f"{result.status:<4} {result.what}: {result.detail}"]
    if not result.differing:
        return [f"ok   {result.what} ({result.compared} checked)"]
    lines = [f"FAIL {result.what} ({result.differing} of {result.compared} differ)"]
    lines += [
        f"       {one.subject}: {one.stored or 'nothing'}, should be {one.recomputed or 'nothing'}"
        for one in result.differences
    ]
    if result.differing > MOST_SHOWN:
        lines.append(f"       and {result.differing - MOST_SHOWN} more")
    return lines


def _document(result: Finding | Check) -> dict[str, Any]:
    document = {"status": _status(result), "check": result.what}
    if isinstance(result, Finding):
        return document | {"detail": result.detail}
    return document | {
        "compared": result.compared,
        "differing": result.differing,
        "differences": [one._asdict() for one in result.differences],
    }
