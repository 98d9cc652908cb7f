"""The freshness of usage reports."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Kind
from tonnage.api_keys.guard import AnyViewer
from tonnage.metering import sampling_queries
from tonnage.web.responses import Json
from tonnage.web.routing import ApiRoute
from tonnage.web.schemas import ResponseModel, TimestampText, with_example

routes = APIRouter(prefix="/ext/v1", route_class=ApiRoute, tags=["Distributors", "Partners"])


class RegionFreshness(ResponseModel):
    """How current the usage of a region is."""

    model_config = with_example(
        {
            "region": "eu-central-2",
            "backend": "ceph",
            "asOf": "2026-03-15T12:00:00Z",
            "sampled": 1_204,
            "missed": 0,
            "running": False,
        }
    )

    region: str
    """The region's name."""
    backend: str
    """Where its usage comes from: `ceph`, or `metered` if it is imported."""
    asOf: TimestampText | None = None
    """The hour of the last sampling that went through all accounts, UTC. Missing if there was none."""
    sampled: int | None = None
    """How many accounts that sampling has measured. Only for the operator."""
    missed: int | None = None
    """How many it could not measure. Only for the operator."""
    running: bool
    """Whether a sampling is in progress, or waits for its cluster."""


class Freshness(ResponseModel):
    """How current usage is."""

    regions: list[RegionFreshness]
    """All regions."""


@routes.get("/usage/freshness", responses={200: {"model": Freshness}})
async def get_freshness(call: AnyViewer) -> Response:
    """Get the freshness of each region's usage.

    `asOf` is the hour of the last sampling that went through all accounts. A region without `asOf` was never sampled;
    its usage may be imported. While `running`, the last sampling is in progress or waits for its cluster. Operator keys
    also see how many accounts it has `sampled` and `missed`.
    """
    counted = call.actor.kind is Kind.OPERATOR
    return Json(await call.database.run(sampling_queries.freshness, counted=counted))
