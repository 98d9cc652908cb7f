"""All partners, and one of them to look at."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.alerts.alert_level import AlertSubject
from tonnage.billing.month import Month
from tonnage.billing.queries import charge_for_partner
from tonnage.console.date_range import read_range
from tonnage.console.organisation.lock import Lockable, lock_routes
from tonnage.console.organisation.others_keys import KeyHolder, others_key_routes
from tonnage.console.page_request import OperatorAdmin, OperatorViewer, PageRequest
from tonnage.console.range_usage import RangeFee, RangeUsage, partner_usage
from tonnage.console.rendering import gettext
from tonnage.console.tables.partner_days import partner_days_file
from tonnage.console.tables.partners import PARTNERS_TABLE
from tonnage.db import Connection
from tonnage.forecasts.forecast import Forecast
from tonnage.forecasts.queries import forecast_of
from tonnage.lists import ListState, PageOf
from tonnage.money import Money, totals
from tonnage.organisations.organisation import no_partner
from tonnage.partners.contract_lists import ContractRow, one_contract
from tonnage.partners.distributor_lists import DistributorRow, one_distributor
from tonnage.partners.lists import PARTNERS, PartnerRow, every_partner, partner_rows
from tonnage.partners.partner_queries import PartnerDetail, partner_detail
from tonnage.statements.queries import frozen_parts
from tonnage.usage.lists import PartnerDay
from tonnage.utc import month_before
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

PATH = "/operator/partners"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)

LISTED = replace(PARTNERS, preserve=("contract", "distributor"))
"""Of all, of one distributor or of one contract."""


def _chosen(state: ListState, name: str) -> UUID | None:
    try:
        return UUID(state.preserved.get(name, ""))
    except ValueError:
        return None


@routes.get("")
async def partners(page: OperatorViewer) -> Response:
    """Of whom, the address says."""
    state = read_list_state(LISTED, page.request.query_params)
    distributor, contract = _chosen(state, "distributor"), _chosen(state, "contract")

    async def read(conn: Connection) -> tuple[PageOf[PartnerRow], DistributorRow | None, ContractRow | None]:
        return (
            await partner_rows(conn, distributor, contract, state, page.today),
            await one_distributor(conn, distributor) if distributor else None,
            await one_contract(conn, None, contract) if contract else None,
        )

    found, of_distributor, of_contract = await page.database.run(read)
    return page.render(
        "operator/partners.html",
        list=PARTNERS_TABLE.paged(page, PATH, found, state, row_path=f"{PATH}/"),
        of_distributor=of_distributor,
        of_contract=of_contract,
    )


@routes.get(".csv")
async def partners_file(page: OperatorViewer) -> Response:
    """The same list, whole."""
    state = read_list_state(LISTED, page.request.query_params)
    distributor, contract = _chosen(state, "distributor"), _chosen(state, "contract")

    return await PARTNERS_TABLE.file(page, every_partner, distributor, contract, state, page.today)


@routes.get("/{partnerID}")
async def partner(page: OperatorViewer, partnerID: UuidPath) -> Response:
    """What it has and uses. Its distributor changes it."""
    shown = read_range(page.request.query_params, page.today)

    async def read(conn: Connection) -> tuple[PartnerDetail, RangeUsage[PartnerDay], RangeFee, Forecast | None]:
        facts = await partner_detail(conn, None, partnerID)
        if facts is None:
            raise no_partner(partnerID)
        use = await partner_usage(conn, None, partnerID, shown)
        forecast = await forecast_of(conn, None, AlertSubject.PARTNER, partnerID)
        return facts, use, await _fee(conn, page, facts, shown.whole_months), forecast

    facts, use, fee, forecast = await page.database.run(read)
    return page.render("operator/partner.html", facts=facts, use=use, fee=fee, forecast=forecast)


async def _fee(conn: Connection, page: PageRequest, facts: PartnerDetail, months: Sequence[date]) -> RangeFee:
    """The partner's part of what its contracts are charged: for each month as it was frozen, or as it is known now; of
    several months only the last two are computed."""
    operator, running = page.actor.organisation_id, page.today.replace(day=1)
    over = [month for month in months if month < running]
    known = await frozen_parts(conn, operator, facts.id, over) if over else {}
    for month in months:
        if month not in known and (len(months) == 1 or month >= month_before(running)):
            lines = await charge_for_partner(conn, operator, facts.id, Month.of(month, page.today))
            known[month] = [Money.zero(facts.currency), *(line.amount for line in lines)]
    sums = totals(amount for amounts in known.values() for amount in amounts)
    return RangeFee(months, running in months, sums=sums, known=len(known))


@routes.get("/{partnerID}/usage.csv")
async def usage_file(page: OperatorViewer, partnerID: UuidPath) -> Response:
    """The same days, in order."""
    shown = read_range(page.request.query_params, page.today)
    if await page.database.run(partner_detail, None, partnerID) is None:
        raise no_partner(partnerID)

    return await partner_days_file(page, None, partnerID, shown.period)


async def _lockable(page: OperatorAdmin, partnerID: UuidPath) -> Lockable:
    if await page.database.run(partner_detail, None, partnerID) is None:
        raise no_partner(partnerID)
    return Lockable(page, partnerID, f"{PATH}/{partnerID}", [(gettext("Partners"), PATH)])


async def _key_holder(page: OperatorAdmin, partnerID: UuidPath) -> KeyHolder:
    facts = await page.database.run(partner_detail, None, partnerID)
    if facts is None:
        raise no_partner(partnerID)
    path = f"{PATH}/{partnerID}"
    crumbs = [(gettext("Partners"), PATH), (facts.name, path)]
    render = partial(page.render, "operator/keys.html", name=facts.name)
    return KeyHolder(page, partnerID, f"{path}/keys", crumbs, render)


keys = others_key_routes(f"{PATH}/{{partnerID}}", _key_holder, may_limit=True)
"""Its API keys."""

locking = lock_routes(f"{PATH}/{{partnerID}}", _lockable)
"""Locks it, and unlocks it."""
