"""The commands that lock and unlock organisations, which distributors and partners have alike."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import click

from tonnage.api_keys.key_cache import CACHE_SECONDS
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.param_types import NAME
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.config import Settings
from tonnage.locks import actions


def add_lock_commands(group: click.Group, noun: str, require: Callable[[Session, UUID], Awaitable[object]]) -> None:
    """Adds `lock` and `unlock` to a group. `require` raises NotFound for what is no such organisation."""

    @click.command(
        help=f"Lock a {noun}: its members cannot sign in, and its API keys do not work. Its data is not touched."
    )
    @click.argument("organisation_id", metavar="ID", type=UUID_TYPE)
    @click.option(
        "--reason", required=True, type=NAME, help="Shown to its members when they sign in, and to its programs."
    )
    @on_database
    def lock(settings: Settings, organisation_id: UUID, reason: str) -> None:
        async def work(session: Session) -> None:
            await require(session, organisation_id)
            await session.database.run(
                actions.lock_organisation, session.operator, organisation_id, reason, session.wall_now
            )

        run(settings, work)
        said = f"{noun.capitalize()} locked. Its API keys stop working everywhere within {CACHE_SECONDS:g} s."
        click.echo(said, err=True)

    @click.command(help=f"Unlock a {noun}.")
    @click.argument("organisation_id", metavar="ID", type=UUID_TYPE)
    @on_database
    def unlock(settings: Settings, organisation_id: UUID) -> None:
        async def work(session: Session) -> None:
            await require(session, organisation_id)
            await session.database.run(actions.unlock_organisation, session.operator, organisation_id)

        run(settings, work)
        click.echo(f"{noun.capitalize()} unlocked.", err=True)

    group.add_command(lock)
    group.add_command(unlock)
