"""The pages about the members of a team: an organisation's own, or one that somebody looks after.

    async def _own(visit: AnyAdmin) -> Team: ...

    routes = member_routes("/team", changing=_own, removing=_own)

Whom they let in is up to these two, which say whose team it is. Each function is a whole page: it shows its form, and
does what was sent. Who may is the action's business; a page that shows a member asks for it in the reader's scope.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.access import member_actions
from tonnage.access.actor import Kind, Role
from tonnage.access.member import NewMember
from tonnage.access.member_queries import TeamRow, team_member
from tonnage.access.passwords import member_password
from tonnage.console.navigation import home
from tonnage.console.rendering import gettext
from tonnage.console.visit import Visit
from tonnage.db import Connection
from tonnage.errors import NotFound
from tonnage.web.forms import Filled, Form, blank, fill
from tonnage.web.payload import Email, Name, UuidPath
from tonnage.web.route import Door


@dataclass(frozen=True)
class Team:
    """Whose members, and where their pages are."""

    visit: Visit
    organisation_id: UUID
    path: str
    """Of the list; a member's pages are below it."""
    crumbs: list[tuple[str, str]]
    """The way to those pages."""


Entrance: TypeAlias = Callable[..., Awaitable[Team]]
"""A dependency: its first parameter is a visit of the role that is needed, the others come from the path."""


def member_routes(prefix: str, *, changing: Entrance, removing: Entrance) -> APIRouter:
    """All pages of members but their list, which is at `prefix`."""
    routes = APIRouter(prefix=prefix, route_class=Door, include_in_schema=False)

    def put_up(path: str, answer: Callable[..., Awaitable[Response]]) -> None:
        routes.add_api_route(path, answer, methods=["GET"])
        routes.add_api_route(path, answer, methods=["POST"])

    async def add(team: Annotated[Team, Depends(changing)]) -> Response:
        return await creation(team)

    put_up("/new", add)
    put_up("/{memberID}", _behind(changing, member))
    put_up("/{memberID}/password", _behind(changing, password))
    put_up("/{memberID}/second-factor", _behind(changing, factor_reset))
    put_up("/{memberID}/removal", _behind(removing, removal))
    return routes


def _behind(
    entrance: Entrance, page: Callable[[Team, UUID], Awaitable[Response]]
) -> Callable[..., Awaitable[Response]]:
    async def answer(team: Annotated[Team, Depends(entrance)], memberID: UuidPath) -> Response:
        return await page(team, memberID)

    return answer


class NewMemberForm(Form):
    """Of somebody who is to sign in."""

    email: Email
    name: Name | None = None
    role: Role
    password: Annotated[str, AfterValidator(member_password)]


class MemberForm(Form):
    """What of a member can be changed."""

    name: Name | None = None
    role: Role


class PasswordForm(Form):
    """A password to be passed on."""

    password: Annotated[str, AfterValidator(member_password)]


class Agreed(Form):
    """Nothing is typed: a button was pressed."""


async def creation(team: Team) -> Response:
    """Adds a member."""
    visit = team.visit
    form = blank(NewMemberForm, role=Role.VIEWER)
    if visit.request.method == "POST":
        form = fill(NewMemberForm, visit.fields)
        if await form.submit(lambda typed: _add(team, typed), about="email"):
            return visit.see(team.path, gettext("The member was added; give them the password."))
    return visit.page("own/new_member.html", status=_status(form), form=form, team=team)


async def member(team: Team, member_id: UUID) -> Response:
    """One member, its name and role to be changed, and the way to everything else that can be done."""
    visit, row = team.visit, await _found(team, member_id)
    form = blank(MemberForm, name=row.name or "", role=row.role)
    if visit.request.method == "POST":
        form = fill(MemberForm, visit.fields)
        if await form.submit(lambda typed: _change(team, member_id, typed), about="role"):
            is_out = _is_self(visit, row) and form.value and form.value.role is not Role.ADMIN
            return visit.see(home(visit.actor) if is_out else team.path, gettext("The member was changed."))
    return visit.page(
        "own/member.html",
        status=_status(form),
        form=form,
        team=team,
        row=row,
        own=_is_self(visit, row),
        may_remove=visit.actor.role is Role.ADMIN,
    )


async def password(team: Team, member_id: UUID) -> Response:
    """A new password for somebody else, whose sessions end."""
    visit, row = team.visit, await _found(team, member_id)
    form = blank(PasswordForm)
    if visit.request.method == "POST":
        form = fill(PasswordForm, visit.fields)
        if await form.submit(lambda typed: _set_password(team, member_id, typed), about="password"):
            return visit.see(f"{team.path}/{member_id}", gettext("The password was set; the member was signed out."))
    return visit.page("own/member_password.html", status=_status(form), form=form, team=team, row=row)


async def factor_reset(team: Team, member_id: UUID) -> Response:
    """Asks before it takes somebody else's second factor away."""
    visit, row = team.visit, await _found(team, member_id)
    form = blank(Agreed)
    if visit.request.method == "POST":
        form = fill(Agreed, visit.fields)
        if await form.submit(lambda _: _reset_factor(team, member_id)):
            return visit.see(f"{team.path}/{member_id}", gettext("The second factor was reset."))
    return visit.page("own/factor_reset.html", status=_status(form), form=form, team=team, row=row)


async def removal(team: Team, member_id: UUID) -> Response:
    """Asks before it removes a member."""
    visit, row = team.visit, await _found(team, member_id)
    form = blank(Agreed)
    if visit.request.method == "POST":
        form = fill(Agreed, visit.fields)
        if await form.submit(lambda _: _remove(team, member_id)):
            own = _is_self(visit, row)
            return visit.see("/sign-in" if own else team.path, gettext("The member was removed."))
    return visit.page("own/removal.html", status=_status(form), form=form, team=team, row=row, own=_is_self(visit, row))


def scope_of(visit: Visit) -> UUID | None:
    """Whose members the reader may look at: its own and its partners'; for the operator anybody's."""
    return None if visit.actor.kind is Kind.OPERATOR else visit.actor.organisation_id


def _status(form: Filled[Any]) -> int:
    return form.status if form.errors else 200


def _is_self(visit: Visit, row: TeamRow) -> bool:
    return row.id == visit.visitor.member_id


async def _found(team: Team, member_id: UUID) -> TeamRow:
    scope = scope_of(team.visit)
    row = await team.visit.database.run(lambda conn: team_member(conn, scope, team.organisation_id, member_id))
    if row is None:
        raise NotFound(f"There is no member {member_id}.")
    return row


async def _add(team: Team, typed: NewMemberForm) -> bool:
    new = NewMember(typed.email, typed.role, await team.visit.resources.passwords.hash(typed.password), typed.name)
    await team.visit.database.run(
        lambda conn: member_actions.create_member(conn, team.visit.actor, team.organisation_id, new, team.visit.now)
    )
    return True


async def _change(team: Team, member_id: UUID, typed: MemberForm) -> bool:
    async def change(conn: Connection) -> None:
        await member_actions.change_member(
            conn, team.visit.actor, team.organisation_id, member_id, typed.name, typed.role
        )

    await team.visit.database.run(change)
    return True


async def _set_password(team: Team, member_id: UUID, typed: PasswordForm) -> bool:
    password_hash = await team.visit.resources.passwords.hash(typed.password)
    await team.visit.database.run(
        lambda conn: member_actions.set_password(conn, team.visit.actor, team.organisation_id, member_id, password_hash)
    )
    return True


async def _reset_factor(team: Team, member_id: UUID) -> bool:
    await team.visit.database.run(
        lambda conn: member_actions.reset_second_factor(conn, team.visit.actor, team.organisation_id, member_id)
    )
    return True


async def _remove(team: Team, member_id: UUID) -> bool:
    await team.visit.database.run(
        lambda conn: member_actions.delete_member(conn, team.visit.actor, team.organisation_id, member_id)
    )
    return True
