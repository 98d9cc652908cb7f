"""Jobs that wait, run or have failed. What went well leaves the list."""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.bigint import parse_bigint
from tonnage.console.page_request import OperatorAdmin, OperatorViewer
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.errors import NotFound
from tonnage.jobs.actions import retry
from tonnage.jobs.declaration import DECLARED, UPKEEP_LABELS
from tonnage.jobs.lists import JOBS, JobRow, job_rows
from tonnage.lists import PageOf
from tonnage.regions.queries import all_clusters
from tonnage.storage.backend import Cluster
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute

PATH = "/operator/jobs"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("")
async def jobs(page: OperatorViewer) -> Response:
    """Newest first."""
    state = read_list_state(JOBS, page.request.query_params)

    async def read(conn: Connection) -> tuple[PageOf[JobRow], list[Cluster]]:
        return await job_rows(conn, state), await all_clusters(conn)

    found, clusters = await page.database.run(read)
    regions = {str(cluster.region_id): cluster.name for cluster in clusters}
    return page.render(
        "operator/jobs.html",
        rows=[_named(row, regions) for row in found.rows],
        found=found,
        state=state,
        labels=UPKEEP_LABELS | {name: job.label for name, job in DECLARED.items()},
    )


def _named(row: JobRow, regions: Mapping[str, str]) -> JobRow:
    declared = DECLARED.get(row.name)
    if declared is None or not declared.of_region or row.subject is None:
        return row
    return row._replace(subject=regions.get(row.subject, row.subject))


@routes.post("/retry")
async def retry_all(page: OperatorAdmin) -> Response:
    """Tries everything again that has failed or waits for its next try."""
    tried = await page.database.transaction(retry, page.actor, None)
    return page.redirect(PATH, gettext("Jobs queued for retry: %(count)s") % {"count": page.formats.number(tried.jobs)})


@routes.post("/{jobID}/retry")
async def retry_one(page: OperatorAdmin, jobID: str) -> Response:
    """Tries one job again now."""
    number = parse_bigint(jobID)
    if number is None:
        raise NotFound("There is no job {job}.", job=jobID)
    await page.database.transaction(retry, page.actor, [number])
    return page.redirect(PATH, gettext("Job queued for retry"))
