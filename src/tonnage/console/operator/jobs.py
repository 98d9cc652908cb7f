"""Jobs that wait, run or have failed. What went well leaves the list."""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.rendering import gettext
from tonnage.console.visit import OperatorAdmin, OperatorViewer
from tonnage.console.wording.catalogue import N_
from tonnage.db import Connection
from tonnage.errors import NotFound
from tonnage.jobs.actions import retry
from tonnage.jobs.page_queries import STATUSES, JobRow, job_rows
from tonnage.regions.queries import all_clusters
from tonnage.regions.region import Cluster
from tonnage.web.route import Door
from tonnage.web.table import Choices

PATH = "/operator/jobs"

routes = APIRouter(prefix=PATH, route_class=Door, include_in_schema=False)

NAMES = {
    "access.keep_house": N_("Forget sessions and codes that have ended"),
    "access.send_reset": N_("Send the link for a new password"),
    "access.tell_blocked": N_("Tell a member of too many wrong passwords"),
    "accounts.prove": N_("Look whether it is the region's cluster"),
    "accounts.purge": N_("Find storage accounts whose deletion is due"),
    "accounts.purge_region": N_("Delete storage accounts that are due"),
    "accounts.reconcile": N_("Tell the cluster what has changed"),
    "accounts.requota": N_("See which quotas a partner's pool changes"),
    "accounts.settle": N_("Settle access keys that were being made"),
    "accounts.settle_all": N_("Find access keys to be settled"),
    "accounts.sweep": N_("Compare the cluster with the database"),
    "accounts.sweep_all": N_("Ask for the comparison of all clusters"),
    "regions.look_after": N_("See how all clusters are doing"),
    "usage.keep_house": N_("Fold and forget old samples"),
    "usage.sample": N_("Sample the use on the cluster"),
    "usage.sample_all": N_("Ask for samples of all clusters"),
}
"""What jobs do. One that is not among them has its own name only."""

_OF_REGION = {
    "accounts.prove",
    "accounts.purge_region",
    "accounts.reconcile",
    "accounts.settle",
    "accounts.sweep",
    "usage.sample",
}
"""Those whose subject is the id of a region."""

_DIGITS = 18
"""As many as any number of the queue has at most, whose type ends at 9.2 times 10 to the 18th."""

_LISTED = Choices(sorts=("newest",), filters=STATUSES)


@routes.get("")
async def jobs(visit: OperatorViewer) -> Response:
    """Newest first."""
    wanted = _LISTED.read(visit.request.query_params)

    async def read(conn: Connection) -> tuple[list[JobRow], int, list[Cluster]]:
        return *await job_rows(conn, wanted.filter, wanted.size, wanted.offset), await all_clusters(conn)

    rows, total, clusters = await visit.database.run(read)
    regions = {str(cluster.region_id): cluster.name for cluster in clusters}
    return visit.page(
        "operator/jobs.html",
        rows=[_named(row, regions) for row in rows],
        total=total,
        wanted=wanted.within(total),
        names=NAMES,
    )


def _named(row: JobRow, regions: Mapping[str, str]) -> JobRow:
    if row.name not in _OF_REGION or row.subject is None:
        return row
    return row._replace(subject=regions.get(row.subject, row.subject))


@routes.post("/retry")
async def retry_all(visit: OperatorAdmin) -> Response:
    """Tries everything again that has failed or waits for its next try."""
    tried = await visit.database.transaction(lambda conn: retry(conn, None))
    return visit.see(PATH, gettext("Jobs tried again: %(count)s.") % {"count": visit.formats.number(tried.jobs)})


@routes.post("/{jobID}/retry")
async def retry_one(visit: OperatorAdmin, jobID: str) -> Response:
    """Tries one job again now."""
    if not (jobID.isascii() and jobID.isdigit() and len(jobID) <= _DIGITS):
        raise NotFound("There is no job {job}.", job=jobID)
    await visit.database.transaction(lambda conn: retry(conn, [int(jobID)]))
    return visit.see(PATH, gettext("The job is tried again."))
