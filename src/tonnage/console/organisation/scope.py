"""Whose members pages are about, and for whom: a team, and one member of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from tonnage.console.page_request import PageRequest
from tonnage.members.member import no_member, require_role
from tonnage.members.queries import TeamRow, team_member


@dataclass(frozen=True)
class Team:
    """Whose members, and where their pages are."""

    page: PageRequest
    organisation_id: UUID
    path: str
    """Of the list; a member's pages are below it."""
    sessions_path: str
    """Of the list of their sessions."""
    crumbs: list[tuple[str, str]]
    """The way to those pages."""


TeamGuard: TypeAlias = Callable[..., Awaitable[Team]]
"""A dependency: its first parameter is a page of the role that is needed, the others come from the path."""


def is_self(page: PageRequest, row: TeamRow) -> bool:
    """Whether the member is the reader."""
    return row.id == page.visitor.member_id


async def member_of(team: Team, member_id: UUID) -> TeamRow:
    """NotFound: there is no such member in the team, as far as the reader may look."""
    row = await team.page.database.run(team_member, team.page.actor.scope, team.organisation_id, member_id)
    if row is None:
        raise no_member(member_id)
    return row


async def changeable_member(team: Team, member_id: UUID) -> TeamRow:
    """The same; Forbidden: its role is above the reader's."""
    row = await member_of(team, member_id)
    require_role(team.page.actor, row.role)
    return row
