"""`tonnage member`: people who can sign in."""

import json
from uuid import UUID

import click

from tonnage.access.actor import Role
from tonnage.authentication import credential_actions
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.organisation import chosen_organisation, organisation_or_operator, require_one
from tonnage.cli.output import PrintedColumn, as_json, show_list, show_one
from tonnage.cli.param_types import EMAIL, NAME, ROLE
from tonnage.cli.secret_input import read_secret
from tonnage.config import Settings
from tonnage.db.rendered import Rendered
from tonnage.db.snapshot import take_snapshot
from tonnage.devices.actions import make_link
from tonnage.errors import Invalid
from tonnage.locks import actions as lock_actions
from tonnage.members import actions as member_actions
from tonnage.members import queries as member_queries
from tonnage.members.member import NewMember
from tonnage.organisations.queries import organisation_names
from tonnage.password_rules import member_password, require_impersonal
from tonnage.passwords import Passwords
from tonnage.personal_data.actions import begin_member_copy
from tonnage.personal_data.queries import member_copy
from tonnage.services import LOCAL_ORIGIN

COLUMNS = (
    PrintedColumn("ID", "id"),
    PrintedColumn("E-mail", "email"),
    PrintedColumn("Name", "name"),
    PrintedColumn("Role", "role"),
)


@click.group()
def member() -> None:
    """Members: people with a console login in one organisation.

    Passwords are prompted for, or read from standard input: 10 to 128 characters, none of the commonest passwords.
    """


@member.command()
@organisation_or_operator
@click.option("--email", required=True, type=EMAIL, help="The e-mail address to sign in with.")
@click.option("--role", required=True, type=ROLE, help="The member's role.")
@click.option("--name", type=NAME, help="The member's name.")
@as_json
@on_database
def create(
    settings: Settings,
    organisation_id: UUID | None,
    of_operator: bool,
    email: str,
    role: str,
    name: str | None,
    as_json: bool,
) -> None:
    """Add a member. The password is prompted for, or read from standard input."""
    require_one(organisation_id, of_operator=of_operator)
    password = new_password()

    async def work(session: Session) -> Rendered[UUID]:
        actor = await chosen_organisation(session, organisation_id, of_operator=of_operator)
        await check_impersonal(session, password, email, actor.organisation_id)
        details = NewMember(email, Role(role), await Passwords().hash(password), name)
        return await session.database.run(
            member_actions.create_team_member, actor, details, session.now, limits=settings.limits
        )

    show_one(run(settings, work).json, COLUMNS, as_json=as_json)


@member.command("list")
@organisation_or_operator
@as_json
@on_database
def list_(settings: Settings, organisation_id: UUID | None, of_operator: bool, as_json: bool) -> None:
    """List the members of an organisation."""
    require_one(organisation_id, of_operator=of_operator)

    async def work(session: Session) -> list[bytes]:
        own = (await chosen_organisation(session, organisation_id, of_operator=of_operator)).organisation_id
        return await session.documents(member_queries.members(own, None))

    show_list(run(settings, work), COLUMNS, as_json=as_json)


@member.command()
@click.argument("email", type=EMAIL)
@on_database
def export(settings: Settings, email: str) -> None:
    """Print all that is stored about a member as JSON: the login, sessions, known browsers, and audit entries.

    The document has a list per table, with the columns of the database. Passwords and other secrets are left out.
    """

    async def work(session: Session) -> str:
        member_id = await session.database.run(begin_member_copy, session.operator, email)
        async with session.database.streams.connection() as conn, conn.transaction():
            await take_snapshot(conn)
            return json.dumps(
                {table: [json.loads(row) async for row in rows] for table, rows in member_copy(conn, member_id)},
                ensure_ascii=False,
                indent=2,
            )

    click.echo(run(settings, work))


@member.command("set-password")
@click.argument("email", type=EMAIL)
@on_database
def set_password(settings: Settings, email: str) -> None:
    """Set a member's password, prompted for or read from standard input."""
    password = new_password()

    async def work(session: Session) -> None:
        await check_impersonal(session, password, email, None)
        password_hash = await Passwords().hash(password)
        await session.database.run(credential_actions.set_member_password, session.operator, email, password_hash)

    run(settings, work)
    click.echo(f"Password of {email} set. The member's sessions have ended.", err=True)


@member.command("reset-second-factor")
@click.argument("email", type=EMAIL)
@on_database
def reset_second_factor(settings: Settings, email: str) -> None:
    """Remove a member's two-factor authentication, for example after a lost phone. Ends the member's sessions."""

    async def work(session: Session) -> None:
        await session.database.run(credential_actions.reset_member_factor, session.operator, email)

    run(settings, work)
    click.echo(f"Two-factor authentication of {email} removed.", err=True)


@member.command("allow-sign-in")
@click.argument("email", type=EMAIL)
@on_database
def allow_sign_in(settings: Settings, email: str) -> None:
    """Print a link with which a member can sign in although others guess at the password.

    After 100 failed attempts in an hour the password alone is not enough. Without a mail server the member cannot
    request a link. Pass this one on to the member: it works once, within 15 minutes, and needs the password as well.
    """

    async def work(session: Session) -> str:
        return await session.database.run(make_link, session.operator, email, session.wall_now)

    click.echo(f"{settings.public_url or LOCAL_ORIGIN}{run(settings, work)}")


@member.command()
@click.argument("email", type=EMAIL)
@on_database
def lock(settings: Settings, email: str) -> None:
    """Lock a member's login: sign-in is refused and sessions end until it is unlocked."""

    async def work(session: Session) -> None:
        organisation_id, member_id = await session.database.run(member_actions.find_member, email)
        await session.database.run(
            lock_actions.lock_member, session.operator, organisation_id, member_id, session.wall_now
        )

    run(settings, work)
    click.echo(f"{email} locked. The member's sessions have ended.", err=True)


@member.command()
@click.argument("email", type=EMAIL)
@on_database
def unlock(settings: Settings, email: str) -> None:
    """Unlock a member's login."""

    async def work(session: Session) -> None:
        organisation_id, member_id = await session.database.run(member_actions.find_member, email)
        await session.database.run(lock_actions.unlock_member, session.operator, organisation_id, member_id)

    run(settings, work)
    click.echo(f"{email} unlocked.", err=True)


async def check_impersonal(session: Session, password: str, email: str, organisation_id: UUID | None) -> None:
    """None: the member exists already. Raises click.UsageError: the password is made of address or organisation."""
    if organisation_id is None:
        organisation = await session.database.run(member_queries.organisation_of, email)
    else:
        names = await session.database.run(organisation_names, [str(organisation_id)])
        organisation = names[str(organisation_id)]
    try:
        require_impersonal(password, email, organisation)
    except Invalid as error:
        raise click.UsageError(f"The password {error.fields[0].message}.") from None


def new_password() -> str:
    """Asked for, or read from standard input. Raises click.UsageError: it breaks the rule of passwords."""
    try:
        return member_password(read_secret("Password"))
    except UnicodeDecodeError:  # its own sentence repeats a part of the input
        raise click.UsageError("The password must be UTF-8 text.") from None
    except ValueError as error:
        raise click.UsageError(f"The password {error}.") from error
