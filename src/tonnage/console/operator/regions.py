"""Regions and the clusters behind them."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.page_request import OperatorAdmin, OperatorViewer, PageRequest
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.metering.lists import RegionRow, region_rows
from tonnage.provisioning.drift_actions import request_full_reconcile
from tonnage.provisioning.drift_queries import DriftRow, drift_rows
from tonnage.provisioning.lists import RegionProvisioning, region_provisioning
from tonnage.regions.actions import add_region, make_default, no_region, remove_region, state_capacity
from tonnage.regions.region import METERED, NewRegion, endpoint, region_name
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.number_fields import Size, typed_size
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Text

PATH = "/operator/regions"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)

_Endpoint = Annotated[Text, AfterValidator(endpoint)]


class NewRegionForm(Form):
    """A metered region: connecting a cluster tries its credentials, and no page waits for a cluster."""

    name: Annotated[Text, AfterValidator(region_name)]
    s3: _Endpoint
    iam: _Endpoint
    sts: _Endpoint


class CapacityForm(Form):
    """What a region can store."""

    capacity: Size | None = None


@routes.get("")
async def regions(page: OperatorViewer) -> Response:
    """How each is doing, and what differs between its cluster and the database."""

    async def read(conn: Connection) -> tuple[list[RegionRow], list[RegionProvisioning], list[DriftRow]]:
        return await region_rows(conn), await region_provisioning(conn), await drift_rows(conn)

    rows, clusters, drift = await page.database.run(read)
    return page.render(
        "operator/regions.html", rows=rows, clusters={one.region: one for one in clusters}, drift=drift, METERED=METERED
    )


@routes.get("/new")
async def new_region(page: OperatorAdmin) -> Response:
    """The empty form."""
    return _creation(page, unbound(NewRegionForm))


@routes.post("/new")
async def add(page: OperatorAdmin) -> Response:
    """Back to the list."""
    form = bind(NewRegionForm, page.fields)
    if await form.submit(lambda values: _add(page, values), about="name") is None:
        return _creation(page, form)
    return page.redirect(PATH, gettext("Region added"))


async def _add(page: PageRequest, values: NewRegionForm) -> bool:
    region = NewRegion(values.name, values.s3, values.iam, values.sts)
    await page.database.run(add_region, page.actor, region, page.business_now)
    return True


def _creation(page: PageRequest, form: BoundForm[NewRegionForm]) -> Response:
    return page.render("operator/new_region.html", status=form.status, form=form)


@routes.post("/{region}/reconcile")
async def compare(page: OperatorAdmin, region: str) -> Response:
    """Defers a comparison of the cluster with the database, which repairs what it may."""
    await page.database.transaction(request_full_reconcile, page.actor, region)
    return page.redirect(PATH, gettext("Comparison started: differences that need your attention will be listed here"))


@routes.post("/{region}/default")
async def prefer(page: OperatorAdmin, region: str) -> Response:
    """New storage accounts go there from now on, where none is chosen."""
    await page.database.run(make_default, page.actor, region)
    return page.redirect(
        PATH, gettext("Default region changed: new storage accounts go there unless another region is chosen")
    )


@routes.get("/{region}/capacity")
@routes.post("/{region}/capacity")
async def capacity(page: OperatorAdmin, region: str) -> Response:
    """The form that says how much the cluster can store; an empty one says that nobody knows."""
    found = await _found(page, region)
    stated, numbers = found.physical_capacity, page.formats.number_format
    form = unbound(CapacityForm, **(typed_size("capacity", stated, numbers) if stated else {}))
    if page.request.method == "POST":
        known = page.fields.get("capacity", "").strip()
        form = bind(CapacityForm, page.fields if known else {}, numbers)
        if await form.submit(lambda values: _state(page, region, values), fields={"physicalCapacity": "capacity"}):
            return page.redirect(f"{PATH}#region-{found.id}", gettext("Physical capacity stated"))
    return page.render("operator/region_capacity.html", status=form.status, form=form, region=found)


async def _state(page: PageRequest, region: str, values: CapacityForm) -> bool:
    await page.database.run(state_capacity, page.actor, region, values.capacity, page.business_now)
    return True


@routes.get("/{region}/removal")
@routes.post("/{region}/removal")
async def removal(page: OperatorAdmin, region: str) -> Response:
    """Removes a region, which must be empty."""

    async def ask() -> Confirmation:
        found = await _found(page, region)
        return Confirmation(
            title=gettext("Remove region %(region)s") % {"region": found.name},
            crumbs=[(gettext("Regions"), PATH)],
            sentences=_what_removal_means(page, found),
            button=None if found.accounts else gettext("Remove region"),
            danger=True,
            cancel=PATH,
        )

    async def act() -> None:
        await page.database.transaction(remove_region, page.actor, region)

    return await confirm(page, ask, act, done=PATH, notice=gettext("Region removed"))


def _what_removal_means(page: PageRequest, region: RegionRow) -> list[str]:
    if region.accounts:
        count = page.formats.number(region.accounts)
        says = gettext(
            "You cannot remove this region yet, because it has storage accounts (%(count)s). Delete them first; each "
            "one stays until its deletion date."
        )
        return [says % {"count": count}]
    sentences = [
        gettext(
            "Nobody can create storage accounts in this region any more. Nothing is deleted on its storage cluster."
        )
    ]
    if region.is_default:
        sentences.append(gettext("This is the default region: the oldest of the others becomes the default."))
    return sentences


async def _found(page: PageRequest, name: str) -> RegionRow:
    rows = await page.database.run(region_rows)
    found = next((row for row in rows if row.name == name), None)
    if found is None:
        raise no_region(name)
    return found
