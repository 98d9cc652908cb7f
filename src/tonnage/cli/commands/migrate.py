"""`tonnage migrate`: the schema of this version."""

import asyncio

import click

from tonnage import migrations
from tonnage.cli.context import current_role, on_database, override, schema_state, some_database
from tonnage.cli.param_types import CONNINFO
from tonnage.config import Settings


@click.command()
@on_database
@click.option(
    "--migration-database-url",
    type=CONNINFO,
    envvar="TONNAGE_MIGRATION_DATABASE_URL",
    show_envvar=True,
    expose_value=False,
    callback=override,
    help="The same database by the role that owns the tables. The role of --database-url gets only the rights that the "
    "program needs.",
)
@click.option(
    "--lock-timeout",
    type=click.IntRange(min=1),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="Seconds to wait for other processes.",
)
def migrate(settings: Settings, lock_timeout: int) -> None:
    """Upgrade the database to this version, all or nothing.

    Several processes can do this at the same time. Servers of the previous version can keep running; a version that no
    longer fits reports it.
    """
    if settings.migration_database_url and not settings.database_url:
        raise click.UsageError("Set --database-url too: the URL by which the program uses the database.")
    with some_database(settings) as urls:
        found = asyncio.run(schema_state(urls.program))
        if found.database is not None and found.database > found.program:
            _report_newer(found)
            return
        done = migrations.upgrade(urls.owner, program_role=current_role(urls.program), lock_timeout=lock_timeout)
    if done.before != done.after:
        click.echo(f"Database upgraded from revision {done.before or 'none'} to {done.after}.")
    elif done.queue_steps:
        click.echo(f"Job queue upgraded. The database is at revision {done.after}.")
    else:
        click.echo(f"The database is already at revision {done.after}.")
    if done.grants:
        click.echo(f"The role that the program logs in as has got its rights ({done.grants} were missing or wrong).")


def _report_newer(found: migrations.SchemaState) -> None:
    problem = found.problem()
    if problem:
        raise migrations.SchemaError(problem)
    click.echo(
        f"The database is at revision {found.database}, newer than this program's {found.program}, and works with it."
    )
