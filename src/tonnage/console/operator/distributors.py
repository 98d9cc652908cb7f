"""Distributors: the list, a new one, what one has, and its end."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.billing.lists import bought
from tonnage.billing.month_net import Fees
from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.fee_month import read_fee_list
from tonnage.console.organisation.lock import Lockable, lock_routes
from tonnage.console.organisation.others_keys import KeyHolder, others_key_routes
from tonnage.console.page_request import OperatorAdmin, OperatorViewer, PageRequest
from tonnage.console.rendering import gettext, ngettext
from tonnage.console.tables.contracts import CONTRACTS_TABLE
from tonnage.console.tables.distributors import DISTRIBUTORS_TABLE
from tonnage.console.tables.members import TEAM_TABLE
from tonnage.db import Connection
from tonnage.locks.lock import OrganisationLock
from tonnage.locks.queries import organisation_lock
from tonnage.members.queries import TeamRow, team
from tonnage.organisations.actions import create_distributor
from tonnage.organisations.organisation import no_distributor
from tonnage.partners.actions import close_distributor
from tonnage.partners.contract_lists import ContractRow, contract_picker
from tonnage.partners.distributor_lists import (
    DISTRIBUTORS,
    DistributorRow,
    distributor_rows,
    every_distributor,
    one_distributor,
)
from tonnage.web.forms import Form, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Name, UuidPath

PATH = "/operator/distributors"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)


class NewDistributorForm(Form):
    """All that a distributor begins with."""

    name: Name


@routes.get("")
async def distributors(page: OperatorViewer) -> Response:
    """With the totals of their contracts, and what they are charged for a month."""
    state, month = read_fee_list(DISTRIBUTORS, page.request.query_params, page.today)
    found = await page.database.run(distributor_rows, state, month.first)
    listed = DISTRIBUTORS_TABLE.of_month(page, month.first).paged(page, PATH, found, state, row_path=f"{PATH}/")
    return page.render("operator/distributors.html", list=listed, month=month)


@routes.get(".csv")
async def distributors_file(page: OperatorViewer) -> Response:
    """The same list, whole."""
    state, month = read_fee_list(DISTRIBUTORS, page.request.query_params, page.today)
    return await DISTRIBUTORS_TABLE.of_month(page, month.first).file(page, every_distributor, state, month.first)


@routes.get("/new")
async def new_distributor(page: OperatorAdmin) -> Response:
    """The empty form."""
    return page.render("operator/new_distributor.html", form=unbound(NewDistributorForm))


@routes.post("/new")
async def create(page: OperatorAdmin) -> Response:
    """Redirects to the new distributor, which has neither a contract nor members yet."""
    form = bind(NewDistributorForm, page.fields)
    made = await form.submit(lambda values: _create(page, values), about="name")
    if made is None:
        return page.render("operator/new_distributor.html", status=form.status, form=form)
    return page.redirect(f"{PATH}/{made}", gettext("Distributor created"))


async def _create(page: PageRequest, values: NewDistributorForm) -> UUID:
    return await page.database.run(create_distributor, page.actor, values.name, page.business_now)


@routes.get("/{distributorID}")
async def distributor(page: OperatorViewer, distributorID: UuidPath) -> Response:
    """Its contracts, with what they are charged so far, and its members."""

    async def read(
        conn: Connection,
    ) -> tuple[DistributorRow, Fees, OrganisationLock | None, list[ContractRow], list[TeamRow]]:
        return (
            await _found(conn, distributorID),
            await bought(conn, distributorID, page.today),
            await organisation_lock(conn, None, distributorID),
            await contract_picker(conn, distributorID, page.today),
            await team(conn, None, distributorID) or [],
        )

    found, fees, lock, contracts, people = await page.database.run(read)
    team_path, may_change = f"/operator/members/{distributorID}", page.actor.role is Role.ADMIN
    return page.render(
        "operator/distributor.html",
        distributor=found,
        fees=fees,
        lock=lock,
        contracts=CONTRACTS_TABLE.of_month(page, page.today).whole(
            page, "/operator/contracts", contracts, row_path="/operator/contracts/"
        ),
        members=TEAM_TABLE.whole(page, team_path, people, row_path=f"{team_path}/" if may_change else None),
    )


@routes.get("/{distributorID}/close")
@routes.post("/{distributorID}/close")
async def close(page: OperatorAdmin, distributorID: UuidPath) -> Response:
    """Asks, then closes it."""
    path = f"{PATH}/{distributorID}"

    async def ask() -> Confirmation | None:
        found = await page.database.run(_found, distributorID)
        return None if found.closed_at else _closing(page, found, path)

    async def act() -> None:
        await page.database.run(close_distributor, page.actor, distributorID, page.business_now)

    return await confirm(page, ask, act, done=path, notice=gettext("Distributor closed"))


def _closing(page: PageRequest, found: DistributorRow, path: str) -> Confirmation:
    name = {"name": found.name}
    sentences = [
        gettext(
            "%(name)s disappears from all lists. Its members are signed out and deleted, and its API keys stop working "
            "within a second."
        )
        % name,
        gettext("The e-mail addresses of its members can be used again."),
        gettext("Its contracts end. Past usage, terms and the audit log stay. You cannot undo this."),
    ]
    if found.partners:
        refusal = ngettext(
            "%(name)s still has %(num)s partner. You can close it only when it has none.",
            "%(name)s still has %(num)s partners. You can close it only when it has none.",
            found.partners,
        )
        sentences = [
            refusal % {**name, "num": page.formats.number(found.partners)},
            gettext("Its admins delete partners on their pages, and you with tonnage partner close on the server."),
        ]
    return Confirmation(
        title=gettext("Close %(name)s") % name,
        crumbs=[(gettext("Distributors"), PATH), (found.name, path)],
        sentences=sentences,
        button=None if found.partners else gettext("Close distributor"),
        danger=True,
        cancel=path,
    )


async def _found(conn: Connection, distributor_id: UUID) -> DistributorRow:
    found = await one_distributor(conn, distributor_id)
    if found is None:
        raise no_distributor(distributor_id)
    return found


async def open_distributor(conn: Connection, distributor_id: UUID) -> DistributorRow:
    """NotFound: there is no such one, or it is closed."""
    found = await _found(conn, distributor_id)
    if found.closed_at:
        raise no_distributor(distributor_id)
    return found


async def _lockable(page: OperatorAdmin, distributorID: UuidPath) -> Lockable:
    await page.database.run(open_distributor, distributorID)
    return Lockable(page, distributorID, f"{PATH}/{distributorID}", [(gettext("Distributors"), PATH)])


async def _key_holder(page: OperatorAdmin, distributorID: UuidPath) -> KeyHolder:
    found = await page.database.run(open_distributor, distributorID)
    path = f"{PATH}/{distributorID}"
    crumbs = [(gettext("Distributors"), PATH), (found.name, path)]
    render = partial(page.render, "operator/keys.html", name=found.name)
    return KeyHolder(page, distributorID, f"{path}/keys", crumbs, render)


keys = others_key_routes(f"{PATH}/{{distributorID}}", _key_holder, may_limit=True)
"""Its API keys."""

locking = lock_routes(f"{PATH}/{{distributorID}}", _lockable)
"""Locks it, and unlocks it."""
