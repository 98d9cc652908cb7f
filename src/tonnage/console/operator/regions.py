"""Regions and the clusters behind them."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.accounts.monitoring_queries import OnCluster, on_clusters
from tonnage.accounts.sweep_queries import DriftRow, drift_rows
from tonnage.console.rendering import gettext
from tonnage.console.visit import OperatorAdmin, OperatorViewer, Visit
from tonnage.db import Connection
from tonnage.errors import NotFound
from tonnage.jobs import defer
from tonnage.regions.actions import add_region, make_default, no_region, remove_region
from tonnage.regions.region import METERED, NewRegion, endpoint, region_name
from tonnage.usage.region_queries import RegionRow, region_rows
from tonnage.web.forms import Filled, Form, blank, fill
from tonnage.web.payload import Text
from tonnage.web.route import Door

PATH = "/operator/regions"

routes = APIRouter(prefix=PATH, route_class=Door, include_in_schema=False)

_Endpoint = Annotated[Text, AfterValidator(endpoint)]


class NewRegionForm(Form):
    """A metered region: connecting a cluster tries its credentials, and no page waits for a cluster."""

    name: Annotated[Text, AfterValidator(region_name)]
    s3: _Endpoint
    iam: _Endpoint
    sts: _Endpoint


class Agreed(Form):
    """Nothing is typed: a button was pressed."""


@routes.get("")
async def regions(visit: OperatorViewer) -> Response:
    """How each is doing, and what differs between its cluster and the database."""

    async def read(conn: Connection) -> tuple[list[RegionRow], list[OnCluster], list[DriftRow]]:
        return await region_rows(conn), await on_clusters(conn), await drift_rows(conn)

    rows, clusters, drift = await visit.database.run(read)
    return visit.page(
        "operator/regions.html", rows=rows, clusters={one.region: one for one in clusters}, drift=drift, METERED=METERED
    )


@routes.get("/new")
async def new_region(visit: OperatorAdmin) -> Response:
    """The empty form."""
    return _creation(visit, blank(NewRegionForm), 200)


@routes.post("/new")
async def add(visit: OperatorAdmin) -> Response:
    """Back to the list."""
    form = fill(NewRegionForm, visit.fields)
    if await form.submit(lambda typed: _add(visit, typed), about="name") is None:
        return _creation(visit, form, form.status)
    return visit.see(PATH, gettext("The region was added."))


async def _add(visit: Visit, typed: NewRegionForm) -> bool:
    region = NewRegion(typed.name, typed.s3, typed.iam, typed.sts)
    await visit.database.run(lambda conn: add_region(conn, visit.actor, region, visit.now))
    return True


def _creation(visit: Visit, form: Filled[NewRegionForm], status: int) -> Response:
    return visit.page("operator/new_region.html", status=status, form=form)


@routes.post("/{region}/sweep")
async def compare(visit: OperatorAdmin, region: str) -> Response:
    """Asks for a comparison of the cluster with the database, which repairs what it may."""
    found = await _found(visit, region)
    if found.plane == METERED:
        raise NotFound("The region {region} has no cluster to be compared.", region=region)

    async def ask(conn: Connection) -> None:
        await defer(conn, "accounts.sweep", found.id)

    await visit.database.transaction(ask)
    return visit.see(PATH, gettext("The cluster is compared in the background; what is left to you is listed here."))


@routes.post("/{region}/default")
async def prefer(visit: OperatorAdmin, region: str) -> Response:
    """New storage accounts go there from now on, where none is chosen."""
    await visit.database.run(lambda conn: make_default(conn, visit.actor, region))
    return visit.see(PATH, gettext("Storage accounts for which no region is chosen are opened there from now on."))


@routes.get("/{region}/removal")
@routes.post("/{region}/removal")
async def removal(visit: OperatorAdmin, region: str) -> Response:
    """Asks before it removes a region, which must be empty."""
    found = await _found(visit, region)
    form = blank(Agreed)
    if visit.request.method == "POST":
        form = fill(Agreed, visit.fields)
        if await form.submit(lambda _: _remove(visit, region)):
            return visit.see(PATH, gettext("The region was removed."))
    return visit.page(
        "components/confirm.html",
        status=form.status if form.errors else 200,
        form=form,
        title=gettext("Remove region %(region)s") % {"region": found.name},
        crumbs=[(gettext("Regions"), PATH)],
        sentences=_what_removal_means(visit, found),
        button=None if found.accounts else gettext("Remove region"),
        danger=True,
        cancel=PATH,
    )


def _what_removal_means(visit: Visit, region: RegionRow) -> list[str]:
    if region.accounts:
        count = visit.formats.number(region.accounts)
        says = gettext(
            "It cannot be removed now: the storage accounts that live in it, %(count)s in all, must be deleted first, "
            "and each is there until the day of its deletion."
        )
        return [says % {"count": count}]
    sentences = [gettext("Nobody can open storage accounts in it any more. Nothing is deleted on its cluster.")]
    if region.is_default:
        sentences.append(gettext("It is the default region: the oldest of the others takes its place."))
    return sentences


async def _remove(visit: Visit, region: str) -> bool:
    await visit.database.transaction(lambda conn: remove_region(conn, visit.actor, region))
    return True


async def _found(visit: Visit, name: str) -> RegionRow:
    rows = await visit.database.run(region_rows)
    found = next((row for row in rows if row.name == name), None)
    if found is None:
        raise no_region(name)
    return found
