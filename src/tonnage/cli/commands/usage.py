"""`tonnage usage`: bring in measured usage, and correct that of closed days."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import BinaryIO

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from tonnage.accounts.actions import account_number
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.output import as_json
from tonnage.cli.param_types import SIZE
from tonnage.config import Settings
from tonnage.errors import Invalid
from tonnage.units import format_size
from tonnage.usage.actions import RecordedSamples, correct_day, import_samples
from tonnage.usage.correction import Correction
from tonnage.usage.sample import lines_of


@click.group()
def usage() -> None:
    """Usage that was measured elsewhere, and corrections."""


@usage.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--force", is_flag=True, help="Fill hours in which a storage cluster was not sampled.")
@as_json
@on_database
def import_(settings: Settings, file: BinaryIO, force: bool, as_json: bool) -> None:
    """Record samples from a CSV file with the columns account,time,bytes. Use - for standard input.

    Times are 2026-01-31T12:00:00Z, or 2026-01-31 for midnight UTC. The whole file is accepted or, if a line is wrong,
    nothing. Importing it again changes nothing. If the command is interrupted after the file was accepted, a worker
    records the rest within minutes.
    """
    try:
        with _rewindable(file) as lines, _progress(lines) as progress:
            samples, recorded = run(settings, lambda session: _import(session, lines, progress, force=force))
    except Invalid as error:
        for wrong in error.fields if len(error.fields) > 1 else ():
            click.echo(f"{wrong.field}: {wrong.message}", err=True)
        raise
    if as_json:
        click.echo(json.dumps({"samples": samples, **asdict(recorded)}))
    else:
        click.echo(
            f"Samples: {samples}, new or changed: {recorded.changed}, storage accounts: {recorded.accounts}, "
            f"daily values: {recorded.days}."
        )


@usage.command()
@click.argument("account")
@click.argument("day", metavar="DAY", type=click.DateTime(["%Y-%m-%d"]))
@click.argument("size", type=SIZE)
@on_database
def correct(settings: Settings, account: str, day: datetime, size: int) -> None:
    """Correct the usage of a storage account on a day whose readings were deleted.

    DAY is 2026-01-31, UTC. SIZE is the value of the day, such as 759GB. The totals of the partner follow, and so do the
    fees that are computed from them. A day of the last 40 days is corrected by importing the right readings.
    """

    async def work(session: Session) -> bool:
        correction = Correction(day.date(), size)
        return await session.database.transaction(
            correct_day, session.operator, account_number(account), correction, session.now
        )

    changed = run(settings, work)
    done = "Corrected" if changed else "Unchanged"
    click.echo(f"{done}: storage account {account} used {format_size(size)} ({size} bytes) on {day:%Y-%m-%d}.")


async def _import(
    session: Session, lines: BinaryIO, progress: Callable[[int], None], *, force: bool
) -> tuple[int, RecordedSamples]:
    def open_lines() -> Iterator[bytes]:
        lines.seek(0)  # it may be the next try
        return lines_of(lines)

    return await import_samples(session.database, session.operator, open_lines, session.now, progress, force=force)


@contextmanager
def _rewindable(file: BinaryIO) -> Generator[BinaryIO]:
    """The file itself, or what a pipe brings as a file: a transaction that is tried again reads it again."""
    if file.seekable():
        yield file
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        yield copy


@contextmanager
def _progress(file: BinaryIO) -> Generator[Callable[[int], None]]:
    """Shows how far the file has been read, at a terminal; takes the number of lines."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        size = file.seek(0, os.SEEK_END)
        task = bar.add_task("Reading", total=size)

        def advance(lines: int) -> None:
            read = file.tell()
            # The last call comes at the end of the file; the database then works on, for how long it cannot say.
            text = f"{lines:,} lines read" if read < size else f"{lines:,} lines read, recording"
            bar.update(task, completed=read, description=text)

        yield advance
