"""A partner's name, its contract, and its end."""

from typing import ClassVar
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.distributor.contract_picker import contract_name
from tonnage.console.distributor.partner import crumbs_to, facts_of, partner_page, path_of
from tonnage.console.edit_conflict import explain, quoted
from tonnage.console.organisation.lock import Lockable, lock_routes
from tonnage.console.page_request import DistributorAdmin, DistributorStaff, PageRequest
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.partners.actions import close_partner, move_partner, update_partner
from tonnage.partners.contract_lists import ContractRow, contract_picker
from tonnage.partners.partner import PartnerChange
from tonnage.partners.partner_queries import PartnerDetail
from tonnage.web.edit_form import BoundEdit, EditForm, bind_edit, unbound_edit
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Name, UuidBody, UuidPath

routes = APIRouter(prefix="/distributor/partners/{partnerID}", route_class=AuthFirstRoute, include_in_schema=False)


class NameForm(EditForm):
    """As it stands in lists and statements."""

    name: Name | None = None


class MoveForm(EditForm):
    """The contract that the partner moves to; made from the one that it is under."""

    names: ClassVar = {"contract": "contractId"}

    contract: UuidBody


@routes.get("/settings")
async def settings(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """Its name as it is, and the ways to the rest."""
    facts = await _facts(page, partnerID)
    return partner_page(page, "distributor/settings.html", facts, form=unbound_edit(NameForm, {"name": facts.name}))


@routes.post("/settings")
async def rename(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """Nothing else changes."""
    form = bind_edit(NameForm, page.fields)

    async def act(values: NameForm, seen: NameForm) -> object:
        wanted, expected = PartnerChange(name=values.name), PartnerChange(name=seen.name)
        return await page.database.run(
            update_partner, page.actor, partnerID, wanted, page.business_now, expected=expected
        )

    if await form.apply(act, about="name"):
        return page.redirect(f"{path_of(partnerID)}/settings", gettext("Partner renamed"))
    facts = await _facts(page, partnerID)
    await explain(page, NameForm, form, {"name": facts.name}, partnerID)
    return partner_page(page, "distributor/settings.html", facts, status=form.status, form=form)


@routes.get("/move")
async def ask_move(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """The contracts that it can move to, and what moves."""
    return await _move_page(page, partnerID, None)


@routes.post("/move")
async def move(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """Its capacity moves with it."""
    form = bind_edit(MoveForm, page.fields)

    async def act(values: MoveForm, seen: MoveForm) -> object:
        return await page.database.run(
            move_partner, page.actor, partnerID, values.contract, page.business_now, expected=seen.contract
        )

    if await form.apply(act, about="contract"):
        return page.redirect(f"{path_of(partnerID)}/settings", gettext("Partner moved"))
    return await _move_page(page, partnerID, form)


@routes.get("/delete")
@routes.post("/delete")
async def delete(page: DistributorAdmin, partnerID: UuidPath) -> Response:
    """Only an empty one can be deleted."""

    async def act() -> None:
        await page.database.run(close_partner, page.actor, partnerID, page.business_now)

    notice = gettext("Partner deleted")
    return await confirm(page, lambda: _deletion(page, partnerID), act, done="/distributor/partners", notice=notice)


async def _facts(page: PageRequest, partner_id: UUID) -> PartnerDetail:
    return await page.database.run(facts_of, page, partner_id)


async def _move_page(page: PageRequest, partner_id: UUID, form: BoundEdit[MoveForm] | None) -> Response:
    async def read(conn: Connection) -> tuple[PartnerDetail, list[ContractRow]]:
        facts = await facts_of(conn, page, partner_id)
        return facts, await contract_picker(conn, page.actor.organisation_id)

    facts, contracts = await page.database.run(read)
    others = [one for one in contracts if one.currency == facts.currency and one.id != facts.contract_id]
    present = {"contract": str(facts.contract_id)}
    if form is not None:
        names = {one.id: contract_name(one.details) for one in contracts}
        await explain(
            page, MoveForm, form, present, partner_id, {"contract": lambda held: quoted(names.get(held, str(held)))}
        )
    return partner_page(
        page,
        "distributor/move.html",
        facts,
        status=form.status if form else 200,
        form=form or unbound_edit(MoveForm, present, raw={}),
        present=contract_name(facts.contract),
        options=[_option(page, contract) for contract in others],
    )


def _option(page: PageRequest, contract: ContractRow) -> tuple[UUID, str, str]:
    formats = page.formats
    numbers = {
        "remaining": formats.size(contract.remaining),
        "reserved": formats.size(contract.reserved),
        "cents": formats.price(contract.price_cents),
    }
    meaning = gettext("%(remaining)s of %(reserved)s remaining; excess at %(cents)s cents per GB-month") % numbers
    return contract.id, contract_name(contract.details), meaning


async def _deletion(page: PageRequest, partner_id: UUID) -> Confirmation:
    facts = await _facts(page, partner_id)
    names = {"partner": facts.name, "size": page.formats.size(facts.allocated), "members": facts.members}
    sentences = [
        gettext(
            "%(partner)s disappears from all lists. Its members can no longer sign in, and its API keys stop working."
        )
        % names,
        gettext("The e-mail addresses of its members (%(members)s) can be used again, here or in another organisation.")
        % names,
        gettext("Its allocation of %(size)s returns to the contract.") % names,
        gettext("Its past usage stays on the contract. You cannot undo this."),
    ]
    if facts.accounts:
        refused = gettext(
            "The partner still has storage accounts (%(accounts)s). You can delete it only when it has none."
        )
        sentences.insert(0, refused % {"accounts": facts.accounts})
    return Confirmation(
        title=gettext("Delete %(partner)s") % names,
        crumbs=crumbs_to(facts),
        sentences=sentences,
        button=gettext("Delete partner"),
        danger=True,
        cancel=f"{path_of(partner_id)}/settings",
    )


async def _lockable(page: DistributorAdmin, partnerID: UuidPath) -> Lockable:
    await _facts(page, partnerID)
    return Lockable(page, partnerID, f"{path_of(partnerID)}/settings", [(gettext("Partners"), "/distributor/partners")])


locking = lock_routes("/distributor/partners/{partnerID}", _lockable)
"""Locks the partner, and unlocks it."""
