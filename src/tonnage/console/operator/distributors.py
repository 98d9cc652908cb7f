"""Distributors: the list, a new one, and what one has."""

from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actions import create_distributor
from tonnage.access.member_queries import TeamRow, team
from tonnage.console.rendering import gettext
from tonnage.console.visit import OperatorAdmin, OperatorViewer, Visit
from tonnage.db import Connection
from tonnage.errors import NotFound
from tonnage.partners.contract_queries import ContractRow, contract_picker
from tonnage.partners.distributor_queries import (
    DISTRIBUTORS,
    DistributorRow,
    distributor_rows,
    every_distributor,
    one_distributor,
)
from tonnage.web.csv_file import CsvFile
from tonnage.web.forms import Form, blank, fill
from tonnage.web.payload import Name, UuidPath
from tonnage.web.route import Door

PATH = "/operator/distributors"

routes = APIRouter(prefix=PATH, route_class=Door, include_in_schema=False)


class NewDistributorForm(Form):
    """All that a distributor begins with."""

    name: Name


@routes.get("")
async def distributors(visit: OperatorViewer) -> Response:
    """With the totals of their contracts."""
    wanted = DISTRIBUTORS.read(visit.request.query_params)
    found = await visit.database.run(lambda conn: distributor_rows(conn, wanted))
    return visit.page(
        "operator/distributors.html", rows=found.rows, total=found.total, wanted=wanted.within(found.total)
    )


@routes.get(".csv")
async def distributors_file(visit: OperatorViewer) -> Response:
    """The same list, whole."""
    wanted = DISTRIBUTORS.read(visit.request.query_params)

    async def rows(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        async for row in every_distributor(conn, wanted):
            yield (
                *(row.name, row.contracts, row.partners, row.reserved, row.allocated, row.used),
                *(visit.formats.date_of(row.created_at), row.id),
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
    return CsvFile(visit.database.streams, visit.actor.organisation_id, "distributors.csv", header, rows)


@routes.get("/new")
async def new_distributor(visit: OperatorAdmin) -> Response:
    """The empty form."""
    return visit.page("operator/new_distributor.html", form=blank(NewDistributorForm))


@routes.post("/new")
async def create(visit: OperatorAdmin) -> Response:
    """On to the new distributor, which lacks a contract and somebody to sign in."""
    form = fill(NewDistributorForm, visit.fields)
    made = await form.submit(lambda typed: _create(visit, typed), about="name")
    if made is None:
        return visit.page("operator/new_distributor.html", status=form.status, form=form)
    return visit.see(f"{PATH}/{made}", gettext("The distributor was created."))


async def _create(visit: Visit, typed: NewDistributorForm) -> UUID:
    return await visit.database.run(lambda conn: create_distributor(conn, visit.actor, typed.name, visit.now))


@routes.get("/{distributorID}")
async def distributor(visit: OperatorViewer, distributorID: UuidPath) -> Response:
    """Its contracts and its members."""

    async def read(conn: Connection) -> tuple[DistributorRow, list[ContractRow], list[TeamRow]]:
        found = await _found(conn, distributorID)
        return found, await contract_picker(conn, distributorID), await team(conn, None, distributorID) or []

    found, contracts, people = await visit.database.run(read)
    return visit.page("operator/distributor.html", distributor=found, contracts=contracts, members=people)


async def _found(conn: Connection, distributor_id: UUID) -> DistributorRow:
    found = await one_distributor(conn, distributor_id)
    if found is None:
        raise NotFound("There is no distributor {distributor}.", distributor=distributor_id)
    return found
