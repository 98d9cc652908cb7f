"""Locking the login of a member, and unlocking it."""

from uuid import UUID

from starlette.responses import Response

from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.organisation.scope import Team, changeable_member
from tonnage.console.rendering import gettext
from tonnage.locks.actions import lock_member, unlock_member


async def lock(team: Team, member_id: UUID) -> Response:
    """Until it is unlocked, the member cannot sign in."""
    page, row = team.page, await changeable_member(team, member_id)
    path, name = f"{team.path}/{member_id}", row.name or row.email

    async def ask() -> Confirmation | None:
        if row.locked_at is not None:
            return None
        return Confirmation(
            title=gettext("Lock %(name)s") % {"name": name},
            crumbs=[*team.crumbs, (name, path)],
            sentences=[
                gettext(
                    "%(name)s is signed out everywhere immediately, and cannot sign in or reset the password until an "
                    "admin unlocks the login."
                )
                % {"name": name},
                gettext("API keys belong to the organisation and keep working."),
            ],
            button=gettext("Lock member"),
            danger=True,
            cancel=path,
        )

    async def act() -> None:
        await page.database.run(lock_member, page.actor, team.organisation_id, member_id, page.wall_now)

    return await confirm(page, ask, act, done=path, notice=gettext("Member locked"))


async def unlock(team: Team, member_id: UUID) -> Response:
    """The member can sign in again, as before."""
    page, row = team.page, await changeable_member(team, member_id)
    path, name = f"{team.path}/{member_id}", row.name or row.email

    async def ask() -> Confirmation | None:
        if row.locked_at is None:
            return None
        return Confirmation(
            title=gettext("Unlock %(name)s") % {"name": name},
            crumbs=[*team.crumbs, (name, path)],
            sentences=[
                gettext("Locked since %(moment)s.") % {"moment": page.formats.moment(row.locked_at)},
                gettext("%(name)s can sign in again with the same password and two-factor authentication.")
                % {"name": name},
            ],
            button=gettext("Unlock member"),
            cancel=path,
        )

    async def act() -> None:
        await page.database.run(unlock_member, page.actor, team.organisation_id, member_id)

    return await confirm(page, ask, act, done=path, notice=gettext("Member unlocked"))
