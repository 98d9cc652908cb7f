"""Removing a member from a team."""

from uuid import UUID

from starlette.responses import Response

from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.organisation.scope import Team, is_self, member_of
from tonnage.console.rendering import gettext
from tonnage.members.actions import delete_member


async def remove(team: Team, member_id: UUID) -> Response:
    """Ends a membership, the reader's own as well."""
    page, row = team.page, await member_of(team, member_id)
    path, name, own = f"{team.path}/{member_id}", row.name or row.email, is_self(team.page, row)

    async def ask() -> Confirmation:
        return Confirmation(
            title=gettext("Remove %(name)s") % {"name": name},
            crumbs=[*team.crumbs, (name, path)],
            sentences=[
                gettext("You are removing yourself: you are signed out immediately and cannot sign in again.")
                if own
                else gettext("%(name)s is signed out everywhere immediately and cannot sign in again.")
                % {"name": name},
                gettext(
                    "API keys belong to the organisation and keep working. The member's actions stay in the audit log."
                ),
                gettext("The e-mail address %(email)s can then be used for another member.") % {"email": row.email},
            ],
            button=gettext("Remove member"),
            danger=True,
            cancel=path,
        )

    async def act() -> None:
        await page.database.run(delete_member, page.actor, team.organisation_id, member_id)

    done = "/sign-in" if own else team.path
    return await confirm(page, ask, act, done=done, notice=gettext("Member removed"))
