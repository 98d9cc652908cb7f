"""Distributors: the list, a new one, and what one has."""

from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.page_request import OperatorAdmin, OperatorViewer, PageRequest
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.errors import NotFound
from tonnage.members.queries import TeamRow, team
from tonnage.organisations.actions import create_distributor
from tonnage.partners.contract_lists import ContractRow, contract_picker
from tonnage.partners.distributor_lists import (
    DISTRIBUTORS,
    DistributorRow,
    distributor_rows,
    every_distributor,
    one_distributor,
)
from tonnage.web.csv_file import CsvFile
from tonnage.web.forms import Form, bind, unbound
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Name, UuidPath

PATH = "/operator/distributors"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)


class NewDistributorForm(Form):
    """All that a distributor begins with."""

    name: Name


@routes.get("")
async def distributors(page: OperatorViewer) -> Response:
    """With the totals of their contracts."""
    state = read_list_state(DISTRIBUTORS, page.request.query_params)
    found = await page.database.run(distributor_rows, state)
    return page.render(
        "operator/distributors.html", rows=found.rows, total=found.total, state=state.within(found.total)
    )


@routes.get(".csv")
async def distributors_file(page: OperatorViewer) -> Response:
    """The same list, whole."""
    state = read_list_state(DISTRIBUTORS, page.request.query_params)

    async def rows(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        async for row in every_distributor(conn, state):
            yield (
                *(row.name, row.contracts, row.partners, row.reserved, row.allocated, row.used),
                *(page.formats.date_of(row.created_at), row.id),
            )

    header = [
        gettext("Name"),
        gettext("Contracts"),
        gettext("Partners"),
        gettext("Reserved bytes"),
        gettext("Allocated bytes"),
        gettext("Used bytes"),
        gettext("Created"),
        gettext("Id"),
    ]
    return CsvFile(page.database.streams, page.actor.organisation_id, "distributors.csv", header, rows)


@routes.get("/new")
async def new_distributor(page: OperatorAdmin) -> Response:
    """The empty form."""
    return page.render("operator/new_distributor.html", form=unbound(NewDistributorForm))


@routes.post("/new")
async def create(page: OperatorAdmin) -> Response:
    """On to the new distributor, which lacks a contract and somebody to sign in."""
    form = bind(NewDistributorForm, page.fields)
    made = await form.submit(lambda typed: _create(page, typed), about="name")
    if made is None:
        return page.render("operator/new_distributor.html", status=form.status, form=form)
    return page.redirect(f"{PATH}/{made}", gettext("The distributor was created."))


async def _create(page: PageRequest, typed: NewDistributorForm) -> UUID:
    return await page.database.run(create_distributor, page.actor, typed.name, page.now)


@routes.get("/{distributorID}")
async def distributor(page: OperatorViewer, distributorID: UuidPath) -> Response:
    """Its contracts and its members."""

    async def read(conn: Connection) -> tuple[DistributorRow, list[ContractRow], list[TeamRow]]:
        found = await _found(conn, distributorID)
        return found, await contract_picker(conn, distributorID), await team(conn, None, distributorID) or []

    found, contracts, people = await page.database.run(read)
    return page.render("operator/distributor.html", distributor=found, contracts=contracts, members=people)


async def _found(conn: Connection, distributor_id: UUID) -> DistributorRow:
    found = await one_distributor(conn, distributor_id)
    if found is None:
        raise NotFound("There is no distributor {distributor}.", distributor=distributor_id)
    return found
