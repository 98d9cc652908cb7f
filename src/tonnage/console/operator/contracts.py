"""Contracts: the list, signing one, and amending it."""

import json
from collections.abc import AsyncGenerator, Sequence
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import AfterValidator, BeforeValidator
from starlette.responses import Response

from tonnage.console.rendering import gettext
from tonnage.console.visit import OperatorAdmin, OperatorViewer, Visit
from tonnage.contracts.actions import amend_contract, create_contract
from tonnage.contracts.contract import Amendment, NewContract, currency, price
from tonnage.contracts.page_queries import ContractTerms, terms_of
from tonnage.db import Connection
from tonnage.errors import NotFound
from tonnage.partners.contract_queries import CONTRACTS, ContractRow, contract_rows, every_contract, one_contract
from tonnage.partners.distributor_queries import DISTRIBUTORS, every_distributor
from tonnage.web.csv_file import CsvFile
from tonnage.web.forms import Filled, Form, Size, blank, fill, typed_size
from tonnage.web.payload import Name, UuidBody, UuidPath
from tonnage.web.route import Door

PATH = "/operator/contracts"

routes = APIRouter(prefix=PATH, route_class=Door, include_in_schema=False)


class NewContractForm(Form):
    """What is signed, and with whom."""

    distributor: UuidBody
    details: Name | None = None
    reserved: Size
    price: Annotated[Decimal, BeforeValidator(price)]
    currency: Annotated[str, BeforeValidator(str.strip), BeforeValidator(str.upper), AfterValidator(currency)]


class AmendmentForm(Form):
    """The whole of what can be amended; what is left as it was changes nothing."""

    details: Name | None = None
    reserved: Size
    price: Annotated[Decimal, BeforeValidator(price)]


@routes.get("")
async def contracts(visit: OperatorViewer) -> Response:
    """Of all distributors."""
    wanted = CONTRACTS.read(visit.request.query_params)
    found = await visit.database.run(lambda conn: contract_rows(conn, None, wanted))
    return visit.page("operator/contracts.html", rows=found.rows, total=found.total, wanted=wanted.within(found.total))


@routes.get(".csv")
async def contracts_file(visit: OperatorViewer) -> Response:
    """The same list, whole."""
    wanted = CONTRACTS.read(visit.request.query_params)

    async def rows(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        async for row in every_contract(conn, None, wanted):
            yield (
                *(row.details, row.distributor, row.reserved, row.allocated, row.remaining, row.used, row.partners),
                *(row.price_cents, row.currency, visit.formats.date_of(row.created_at), row.id),
            )

    header = [
        gettext("Name"),
        gettext("Distributor"),
        gettext("Reserved bytes"),
        gettext("Allocated bytes"),
        gettext("Remaining bytes"),
        gettext("Used bytes"),
        gettext("Partners"),
        gettext("Cents per GB-month"),
        gettext("Currency"),
        gettext("Created"),
        gettext("Id"),
    ]
    return CsvFile(visit.database.streams, visit.actor.organisation_id, "contracts.csv", header, rows)


@routes.get("/new")
async def new_contract(visit: OperatorAdmin) -> Response:
    """The empty form; a link may have chosen the distributor."""
    chosen = visit.request.query_params.get("distributor", "")
    return await _signing(visit, blank(NewContractForm, distributor=chosen, currency="EUR"), 200)


@routes.post("/new")
async def sign(visit: OperatorAdmin) -> Response:
    """On to the new contract."""
    form = fill(NewContractForm, visit.fields)
    try:
        made = await form.submit(lambda typed: _sign(visit, typed))
    except NotFound as error:
        # The distributor was chosen in the form, and not by the page's address.
        form.errors["distributor"], made = error, None
    if made is None:
        return await _signing(visit, form, form.status)
    return visit.see(f"{PATH}/{made}", gettext("The contract was signed."))


async def _sign(visit: Visit, typed: NewContractForm) -> str:
    new = NewContract(typed.reserved, typed.price, typed.currency, typed.details)
    made = await visit.database.run(lambda conn: create_contract(conn, visit.actor, typed.distributor, new, visit.now))
    return json.loads(made)["id"]


async def _signing(visit: Visit, form: Filled[NewContractForm], status: int) -> Response:
    by_name = DISTRIBUTORS.read({"sort": "name"})

    async def read(conn: Connection) -> list[tuple[UUID, str]]:
        return [(row.id, row.name) async for row in every_distributor(conn, by_name)]

    distributors = await visit.database.run(read)
    return visit.page("operator/new_contract.html", status=status, form=form, distributors=distributors)


@routes.get("/{contractID}")
async def contract(visit: OperatorViewer, contractID: UuidPath) -> Response:
    """What applies and since when, and for admins the form that amends it."""
    found, terms = await _found(visit, contractID)
    form = blank(
        AmendmentForm,
        details=found.details or "",
        price=f"{found.price_cents:f}",
        **typed_size("reserved", found.reserved),
    )
    return visit.page("operator/contract.html", contract=found, terms=terms, form=form)


@routes.post("/{contractID}")
async def amend(visit: OperatorAdmin, contractID: UuidPath) -> Response:
    """From this moment on."""
    found, terms = await _found(visit, contractID)
    form = fill(AmendmentForm, visit.fields)
    if await form.submit(lambda typed: _amend(visit, contractID, typed), about="reserved") is None:
        return visit.page("operator/contract.html", status=form.status, contract=found, terms=terms, form=form)
    return visit.see(f"{PATH}/{contractID}", gettext("The contract was amended."))


async def _amend(visit: Visit, contract_id: UUID, typed: AmendmentForm) -> bytes:
    amendment = Amendment(typed.reserved, typed.price, typed.details)
    return await visit.database.run(lambda conn: amend_contract(conn, visit.actor, contract_id, amendment, visit.now))


async def _found(visit: Visit, contract_id: UUID) -> tuple[ContractRow, list[ContractTerms]]:
    async def read(conn: Connection) -> tuple[ContractRow | None, list[ContractTerms]]:
        return await one_contract(conn, None, contract_id), await terms_of(conn, contract_id)

    found, terms = await visit.database.run(read)
    if found is None:
        raise NotFound("There is no contract {contract}.", contract=contract_id)
    return found, terms
