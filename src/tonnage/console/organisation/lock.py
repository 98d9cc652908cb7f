"""The pages that lock a distributor or partner and unlock it, for the organisations above it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.page_request import PageRequest
from tonnage.console.rendering import gettext
from tonnage.locks.actions import lock_organisation, unlock_organisation
from tonnage.locks.lock import OrganisationLock
from tonnage.locks.queries import organisation_lock
from tonnage.organisations.organisation import no_organisation
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Name


@dataclass(frozen=True)
class Lockable:
    """An organisation, and where its page is."""

    page: PageRequest
    organisation_id: UUID
    path: str
    """Of the page that shows the lock."""
    crumbs: list[tuple[str, str]]
    """The way to that page, without it."""


LockableGuard: TypeAlias = Callable[..., Awaitable[Lockable]]
"""A dependency: its first parameter is a page of the role that is needed, the others come from the path."""


class LockForm(Form):
    """Why it is locked."""

    reason: Name


def lock_routes(prefix: str, guard: LockableGuard) -> APIRouter:
    """Both pages, below the page of the organisation."""
    routes = APIRouter(prefix=prefix, route_class=AuthFirstRoute, include_in_schema=False)

    async def lock(organisation: Annotated[Lockable, Depends(guard)]) -> Response:
        return await _lock(organisation)

    async def unlock(organisation: Annotated[Lockable, Depends(guard)]) -> Response:
        return await _unlock(organisation)

    for path, answer in (("/lock", lock), ("/unlock", unlock)):
        routes.add_api_route(path, answer, methods=["GET"])
        routes.add_api_route(path, answer, methods=["POST"])
    return routes


async def _lock(organisation: Lockable) -> Response:
    page = organisation.page
    present = await _present(organisation)
    form = unbound(LockForm, reason=present.reason or "")
    if page.request.method == "POST":
        form = bind(LockForm, page.fields)
        if await form.submit(lambda values: _act(organisation, values)):
            return page.redirect(organisation.path, gettext("Organisation locked"))
    return _question(organisation, present, form)


async def _present(organisation: Lockable) -> OrganisationLock:
    page = organisation.page
    lock = await page.database.run(organisation_lock, page.actor.scope, organisation.organisation_id)
    if lock is None:
        raise no_organisation(organisation.organisation_id)
    return lock


async def _act(organisation: Lockable, values: LockForm) -> bool:
    page = organisation.page
    await page.database.run(lock_organisation, page.actor, organisation.organisation_id, values.reason, page.wall_now)
    return True


def _question(organisation: Lockable, present: OrganisationLock, form: BoundForm[LockForm]) -> Response:
    name = present.organisation
    question = Confirmation(
        title=gettext("Lock %(name)s") % {"name": name},
        crumbs=[*organisation.crumbs, (name, organisation.path)],
        sentences=[
            gettext(
                "The members of %(name)s are signed out and cannot sign in, and its API keys stop working within a "
                "second, until you unlock it."
            )
            % {"name": name},
            gettext(
                "Storage accounts, their access keys and data are not touched, and usage is billed as before. To "
                "block a storage account, suspend it."
            ),
        ],
        fields=[("reason", gettext("Reason"), gettext("Shown to its members when they sign in, and to its programs."))],
        button=gettext("Lock organisation"),
        danger=True,
        cancel=organisation.path,
    )
    return question.render(organisation.page, form)


async def _unlock(organisation: Lockable) -> Response:
    page, path = organisation.page, organisation.path
    lock = await _present(organisation)

    async def ask() -> Confirmation | None:
        if lock.locked_at is None:
            return None
        return Confirmation(
            title=gettext("Unlock %(name)s") % {"name": lock.organisation},
            crumbs=[*organisation.crumbs, (lock.organisation, path)],
            sentences=[
                gettext("Locked by %(who)s since %(moment)s: %(reason)s")
                % {"who": lock.locked_by, "moment": page.formats.moment(lock.locked_at), "reason": lock.reason},
                gettext("Its members can sign in again, and its API keys work again within a second."),
            ],
            button=gettext("Unlock organisation"),
            cancel=path,
        )

    async def act() -> None:
        await page.database.run(unlock_organisation, page.actor, organisation.organisation_id)

    return await confirm(page, ask, act, done=path, notice=gettext("Organisation unlocked"))
