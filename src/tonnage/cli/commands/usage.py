"""`tonnage usage`: bring in measured usage."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from typing import BinaryIO

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from tonnage.cli.context import Session, on_database, run
from tonnage.cli.output import as_json
from tonnage.config import Settings
from tonnage.db import Connection
from tonnage.errors import Invalid
from tonnage.usage.actions import RecordedSamples, import_samples
from tonnage.usage.sample import lines_of


@click.group()
def usage() -> None:
    """Usage that was measured elsewhere."""


@usage.command("import")
@click.argument("file", type=click.File("rb"))
@as_json
@on_database
def import_(settings: Settings, file: BinaryIO, as_json: bool) -> None:
    """Record samples from a CSV file with the columns account,time,bytes. Use - for standard input.

    Times are 2026-01-31T12:00:00Z, or 2026-01-31 for midnight UTC. The whole file is recorded or, if a line is wrong,
    nothing. Importing it again changes nothing.
    """
    try:
        with _rewindable(file) as lines, _progress(lines) as progress:
            recorded = run(settings, lambda session: _import(session, lines, progress))
    except Invalid as error:
        for wrong in error.fields if len(error.fields) > 1 else ():
            click.echo(f"{wrong.field}: {wrong.message}", err=True)
        raise
    if as_json:
        click.echo(json.dumps(asdict(recorded)))
    else:
        click.echo(
            f"Samples: {recorded.samples}, new or changed: {recorded.changed}, storage accounts: {recorded.accounts}, "
            f"daily values: {recorded.days}."
        )


async def _import(session: Session, lines: BinaryIO, progress: Callable[[int], None]) -> RecordedSamples:
    async def work(conn: Connection) -> RecordedSamples:
        lines.seek(0)  # it may be the next try
        return await import_samples(conn, session.operator, lines_of(lines), session.now, progress)

    return await session.database.transaction(work)


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
