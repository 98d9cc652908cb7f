"""The pages about the members of a team: an organisation's own, or that of one of its partners.

    async def _own(page: AnyAdmin) -> Team: ...

    routes = member_routes("/team", changing=_own, removing=_own)

Whom they let in is up to these two, which say whose team it is. Each function is a whole page: it shows its form, and
does what was sent. Who may is the action's business; a page that shows a member asks for it in the reader's scope.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.authentication import credential_actions
from tonnage.console.edit_conflict import explain, role_label
from tonnage.console.navigation import home
from tonnage.console.organisation import member_lock, member_removal, second_factor_reset, team_sessions
from tonnage.console.organisation.scope import Team, TeamGuard, changeable_member, is_self, member_of
from tonnage.console.rendering import gettext
from tonnage.members import actions as member_actions
from tonnage.members.member import MemberChange, NewMember, require_role
from tonnage.members.queries import TeamRow
from tonnage.organisations.queries import organisation_names
from tonnage.password_rules import member_password, require_impersonal
from tonnage.web.edit_form import EditForm, OptionalName, bind_edit, unbound_edit
from tonnage.web.forms import Form, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Email, Name, UuidPath


def member_routes(prefix: str, *, changing: TeamGuard, removing: TeamGuard) -> APIRouter:
    """All pages of members but their list, which is at `prefix`."""
    routes = APIRouter(prefix=prefix, route_class=AuthFirstRoute, include_in_schema=False)

    def add_page(path: str, answer: Callable[..., Awaitable[Response]]) -> None:
        routes.add_api_route(path, answer, methods=["GET"])
        routes.add_api_route(path, answer, methods=["POST"])

    async def add(team: Annotated[Team, Depends(changing)]) -> Response:
        return await creation(team)

    add_page("/new", add)
    add_page("/{memberID}", _guarded(changing, member))
    add_page("/{memberID}/password", _guarded(changing, password))
    add_page("/{memberID}/second-factor", _guarded(changing, second_factor_reset.reset))
    add_page("/{memberID}/lock", _guarded(changing, member_lock.lock))
    add_page("/{memberID}/unlock", _guarded(changing, member_lock.unlock))
    add_page("/{memberID}/sessions/end", _guarded(changing, team_sessions.end_all))
    add_page("/{memberID}/removal", _guarded(removing, member_removal.remove))
    return routes


def _guarded(guard: TeamGuard, page: Callable[[Team, UUID], Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    async def answer(team: Annotated[Team, Depends(guard)], memberID: UuidPath) -> Response:
        return await page(team, memberID)

    return answer


class NewMemberForm(Form):
    """The form of a new member."""

    email: Email
    name: Name | None = None
    role: Role
    password: Annotated[str, AfterValidator(member_password)]


class MemberForm(EditForm):
    """What of a member can be changed."""

    names: ClassVar = {"name": "nameChanged"}

    name: OptionalName | None = None
    role: Role | None = None


class MemberPasswordForm(Form):
    """A password to be passed on."""

    password: Annotated[str, AfterValidator(member_password)]


async def creation(team: Team) -> Response:
    """Adds a member."""
    page = team.page
    form = unbound(NewMemberForm, role=Role.VIEWER)
    if page.request.method == "POST":
        form = bind(NewMemberForm, page.fields)
        if await form.submit(lambda values: _add(team, values), about="email"):
            return page.redirect(team.path, gettext("Member added: pass on the password yourself"))
    return page.render("organisation/new_member.html", status=form.status, headers=form.headers, form=form, team=team)


async def member(team: Team, member_id: UUID) -> Response:
    """One member, its name and role to be changed, and the way to everything else that can be done."""
    page, row = team.page, await member_of(team, member_id)
    form = unbound_edit(MemberForm, _texts(row))
    if page.request.method == "POST":
        require_role(page.actor, row.role)
        form = bind_edit(MemberForm, page.fields)
        if await form.apply(lambda values, seen: _change(team, member_id, values, seen), about="role"):
            is_out = is_self(page, row) and form.value and form.value.role not in {None, Role.ADMIN}
            return page.redirect(home(page.actor) if is_out else team.path, gettext("Changes saved"))
        row = await member_of(team, member_id)
        await explain(page, MemberForm, form, _texts(row), member_id, {"role": role_label})
    return page.render(
        "organisation/member.html",
        status=form.status,
        form=form,
        team=team,
        row=row,
        own=is_self(page, row),
        may_change=page.actor.role.includes(row.role),
        may_remove=page.actor.role is Role.ADMIN,
    )


async def password(team: Team, member_id: UUID) -> Response:
    """Sets another member's password, and ends that member's sessions."""
    page, row = team.page, await changeable_member(team, member_id)
    form = unbound(MemberPasswordForm)
    if page.request.method == "POST":
        form = bind(MemberPasswordForm, page.fields)
        if await form.submit(lambda values: _set_password(team, row, values), about="password"):
            return page.redirect(f"{team.path}/{member_id}", gettext("Password set, member signed out"))
    return page.render(
        "organisation/member_password.html", status=form.status, headers=form.headers, form=form, team=team, row=row
    )


async def _add(team: Team, values: NewMemberForm) -> bool:
    async with team.page.hashing() as hashing:
        await team.page.database.run(
            member_actions.require_organisation, team.page.actor, team.organisation_id, values.role
        )
        await _require_impersonal(team, values.password, values.email)
        password_hash = await hashing.hash(values.password)
    new = NewMember(values.email, values.role, password_hash, values.name)
    await team.page.database.run(
        member_actions.create_member,
        team.page.actor,
        team.organisation_id,
        new,
        team.page.business_now,
        limits=team.page.services.limits,
    )
    return True


def _texts(row: TeamRow) -> dict[str, str]:
    """What stands in the form of a member."""
    return {"name": row.name or "", "role": row.role}


async def _change(team: Team, member_id: UUID, values: MemberForm, seen: MemberForm) -> bool:
    wanted, expected = MemberChange(values.name, values.role), MemberChange(seen.name, seen.role)
    who = team.page.actor, team.organisation_id, member_id
    await team.page.database.run(member_actions.change_member, *who, wanted, expected=expected)
    return True


async def _set_password(team: Team, row: TeamRow, values: MemberPasswordForm) -> bool:
    async with team.page.hashing() as hashing:
        await _require_impersonal(team, values.password, row.email)
        password_hash = await hashing.hash(values.password)
    await team.page.database.run(
        credential_actions.set_password, team.page.actor, team.organisation_id, row.id, password_hash
    )
    return True


async def _require_impersonal(team: Team, password: str, email: str) -> None:
    names = await team.page.database.run(organisation_names, [str(team.organisation_id)])
    require_impersonal(password, email, *names.values())
