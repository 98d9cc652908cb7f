"""The reset of another member's lost second factor."""

from uuid import UUID

from starlette.responses import Response

from tonnage.authentication.credential_actions import reset_second_factor
from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.organisation.scope import Team, changeable_member
from tonnage.console.rendering import gettext


async def reset(team: Team, member_id: UUID) -> Response:
    """Until another is set up, the password alone opens the console."""
    page, row = team.page, await changeable_member(team, member_id)
    path, name = f"{team.path}/{member_id}", row.name or row.email
    is_required = page.visitor.second_factor_required and team.organisation_id == page.actor.organisation_id

    async def ask() -> Confirmation:
        return Confirmation(
            title=gettext("Reset two-factor authentication"),
            crumbs=[*team.crumbs, (name, path)],
            sentences=[
                gettext(
                    "This removes two-factor authentication and all recovery codes of %(name)s, and ends all "
                    "their sessions."
                )
                % {"name": name},
                gettext(
                    "At the next sign-in, the password is enough, and two-factor authentication must be set up "
                    "before anything else."
                )
                if is_required
                else gettext(
                    "From the next sign-in, the password is enough until two-factor authentication is set up again."
                ),
                gettext("Do this only if you are sure that it is really %(name)s who asks.") % {"name": name},
            ],
            button=gettext("Reset two-factor authentication"),
            danger=True,
            cancel=path,
        )

    async def act() -> None:
        await page.database.run(reset_second_factor, page.actor, team.organisation_id, member_id)

    return await confirm(page, ask, act, done=path, notice=gettext("Two-factor authentication reset"))
