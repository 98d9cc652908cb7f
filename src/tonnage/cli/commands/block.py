"""`tonnage block`: sign-ins that are refused after too many failures."""

from uuid import UUID

import click

from tonnage.blocks.actions import lift_block
from tonnage.blocks.lists import block_documents
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.organisation import acting_for
from tonnage.cli.output import PrintedColumn, as_json, show_list
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.config import Settings

_COLUMNS = (
    PrintedColumn("ID", "id"),
    PrintedColumn("Kind", "kind"),
    PrintedColumn("Member", "member"),
    PrintedColumn("Organisation", "organisation"),
    PrintedColumn("Network", "network"),
    PrintedColumn("Failures", "failures", align="right"),
    PrintedColumn("Since", "since"),
    PrintedColumn("Until", "until"),
)


@click.group()
def block() -> None:
    """Blocks: attempts to sign in that are refused for a while, after too many failures."""


@block.command("list")
@click.option(
    "--organisation", "organisation_id", type=UUID_TYPE, help="Only members of this organisation and its partners."
)
@as_json
@on_database
def list_(settings: Settings, organisation_id: UUID | None, as_json: bool) -> None:
    """List the blocks that are in force, the latest first."""

    async def work(session: Session) -> list[bytes]:
        if organisation_id is not None:
            await acting_for(session, organisation_id)
        return await session.database.run(block_documents, organisation_id, session.wall_now)

    show_list(run(settings, work), _COLUMNS, as_json=as_json)


@block.command()
@click.argument("block_id", metavar="ID", type=UUID_TYPE)
@on_database
def lift(settings: Settings, block_id: UUID) -> None:
    """Lift a block, by its id from the list: attempts are accepted again at once."""

    async def work(session: Session) -> None:
        await session.database.run(lift_block, session.operator, block_id, session.wall_now)

    run(settings, work)
    click.echo("Block lifted.", err=True)
