"""`tonnage operator`: the operator's own people."""

from uuid import UUID

import click

from tonnage.access.actor import Role
from tonnage.cli.commands.member import COLUMNS, check_impersonal, new_password
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.output import as_json, show_one
from tonnage.cli.param_types import EMAIL, NAME, ROLE
from tonnage.config import Settings
from tonnage.db.rendered import Rendered
from tonnage.members import actions as member_actions
from tonnage.members.member import NewMember
from tonnage.passwords import Passwords


@click.group()
def operator() -> None:
    """The operator, who runs this system and sees everything."""


@operator.command()
@click.option("--email", required=True, type=EMAIL, help="The e-mail address to sign in with.")
@click.option("--name", type=NAME, help="The member's name.")
@click.option("--role", default=Role.ADMIN.value, show_default=True, type=ROLE, help="The member's role.")
@as_json
@on_database
def create(settings: Settings, email: str, name: str | None, role: str, as_json: bool) -> None:
    """Add a member of the operator. The password is prompted for, or read from standard input.

    The first member can add others in the console.
    """
    password = new_password()

    async def work(session: Session) -> Rendered[UUID]:
        await check_impersonal(session, password, email, session.operator.organisation_id)
        details = NewMember(email, Role(role), await Passwords().hash(password), name)
        return await session.database.run(
            member_actions.create_team_member, session.operator, details, session.now, limits=settings.limits
        )

    show_one(run(settings, work).json, COLUMNS, as_json=as_json)
