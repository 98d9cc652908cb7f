"""Contracts: the list, signing one, and amending it."""

from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.alerts.alert_level import AlertSubject
from tonnage.billing.lists import fee_of
from tonnage.console.edit_conflict import explain
from tonnage.console.fee_month import read_fee_list
from tonnage.console.page_request import OperatorAdmin, OperatorViewer, PageRequest
from tonnage.console.price_fields import Currency, Price
from tonnage.console.rendering import gettext
from tonnage.console.tables.contracts import CONTRACTS_TABLE
from tonnage.console.tables.terms import CONTRACT_TERMS_TABLE
from tonnage.contracts.actions import amend_contract, create_contract
from tonnage.contracts.contract import Amendment, NewContract, no_contract
from tonnage.contracts.lists import TERMS, contract_terms
from tonnage.db import Connection
from tonnage.errors import NotFound
from tonnage.forecasts.queries import forecast_of
from tonnage.organisations.queries import distributor_choices
from tonnage.partners.contract_lists import CONTRACTS, ContractRow, contract_rows, every_contract, one_contract
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.units import Size as Capacity
from tonnage.web.edit_form import EditForm, OptionalName, bind_edit, unbound_edit
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.list_state import read_list_state
from tonnage.web.number_fields import Size, typed_size
from tonnage.web.number_text import written
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Name, UuidBody, UuidPath

PATH = "/operator/contracts"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)


class NewContractForm(Form):
    """What is signed, and with whom."""

    distributor: UuidBody
    details: Name | None = None
    reserved: Size
    price: Price
    currency: Currency


class AmendmentForm(EditForm):
    """The whole of what can be amended."""

    names: ClassVar = {"reserved": "reservedCapacity", "price": "costStorageGBCents"}

    details: OptionalName | None = None
    reserved: Size | None = None
    price: Price | None = None


@routes.get("")
async def contracts(page: OperatorViewer) -> Response:
    """Of all distributors."""
    state, month = read_fee_list(CONTRACTS, page.request.query_params, page.today)
    found = await page.database.run(contract_rows, None, state, month.first)
    table = CONTRACTS_TABLE.of_month(page, month.first)
    listed = table.paged(page, PATH, found, state, row_path=f"{PATH}/", names_distributor=True)
    return page.render("operator/contracts.html", list=listed, month=month)


@routes.get(".csv")
async def contracts_file(page: OperatorViewer) -> Response:
    """The same list, whole."""
    state, month = read_fee_list(CONTRACTS, page.request.query_params, page.today)
    return await CONTRACTS_TABLE.of_month(page, month.first).file(page, every_contract, None, state, month.first)


@routes.get("/new")
async def new_contract(page: OperatorAdmin) -> Response:
    """The empty form; a link may have chosen the distributor."""
    chosen = page.request.query_params.get("distributor", "")
    return await _signing(page, unbound(NewContractForm, distributor=chosen, currency="EUR"))


@routes.post("/new")
async def sign(page: OperatorAdmin) -> Response:
    """On to the new contract."""
    form = bind(NewContractForm, page.fields, page.formats.number_format)
    try:
        made = await form.submit(lambda values: _sign(page, values))
    except NotFound as error:
        # The distributor was chosen in the form, and not by the page's address.
        form.errors["distributor"], made = error, None
    if made is None:
        return await _signing(page, form)
    return page.redirect(f"{PATH}/{made}", gettext("Contract signed"))


async def _sign(page: PageRequest, values: NewContractForm) -> UUID:
    new = NewContract(values.reserved, values.price, values.currency, values.details)
    made = await page.database.run(create_contract, page.actor, values.distributor, new, page.business_now)
    return made.id


async def _signing(page: PageRequest, form: BoundForm[NewContractForm]) -> Response:
    distributors = await page.database.run(distributor_choices)
    return page.render(
        "operator/new_contract.html", status=form.status, form=form, distributors=distributors, half=Decimal("0.5")
    )


@routes.get("/{contractID}")
async def contract(page: OperatorViewer, contractID: UuidPath) -> Response:
    """What applies and since when, and for admins the form that amends it."""
    found, context = await _found(page, contractID)
    form = unbound_edit(AmendmentForm, _texts(page, found))
    return page.render("operator/contract.html", contract=found, form=form, **context)


@routes.post("/{contractID}")
async def amend(page: OperatorAdmin, contractID: UuidPath) -> Response:
    """From this moment on."""
    form = bind_edit(AmendmentForm, page.fields, page.formats.number_format)
    if await form.apply(lambda values, seen: _amend(page, contractID, values, seen), about="reserved"):
        return page.redirect(f"{PATH}/{contractID}", gettext("Contract amended"))
    found, context = await _found(page, contractID)
    writers = {"reserved": Capacity, "price": page.formats.price}
    await explain(page, AmendmentForm, form, _texts(page, found), contractID, writers)
    return page.render("operator/contract.html", status=form.status, contract=found, form=form, **context)


async def _amend(page: PageRequest, contract_id: UUID, values: AmendmentForm, seen: AmendmentForm) -> bytes:
    wanted, expected = (Amendment(form.reserved, form.price, form.details) for form in (values, seen))
    return await page.database.run(
        amend_contract, page.actor, contract_id, wanted, page.business_now, expected=expected
    )


def _texts(page: PageRequest, found: ContractRow) -> dict[str, str]:
    """What stands in the form."""
    number_format = page.formats.number_format
    return {
        "details": found.details or "",
        "price": written(found.price_cents, number_format),
        **typed_size("reserved", found.reserved, number_format),
    }


async def _found(page: PageRequest, contract_id: UUID) -> tuple[ContractRow, dict[str, Any]]:
    """And what stands beside it on its page."""
    state = read_list_state(TERMS, page.request.query_params)

    async def read(conn: Connection) -> tuple[ContractRow, dict[str, Any]]:
        found = await one_contract(conn, None, contract_id)
        if found is None:
            raise no_contract(contract_id)
        terms = await contract_terms(conn, None, contract_id, state)
        subject = Subject(SubjectKind.CONTRACT, contract_id)
        return found, {
            "terms": CONTRACT_TERMS_TABLE.paged(page, f"{PATH}/{contract_id}", terms, state, row_path=None),
            "fees": await fee_of(conn, page.actor.organisation_id, subject, page.today),
            "forecast": await forecast_of(conn, None, AlertSubject.CONTRACT, contract_id),
        }

    return await page.database.run(read)
