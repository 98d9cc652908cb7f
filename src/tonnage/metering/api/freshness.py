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
    backend: str
    asOf: TimestampText | None = None
    sampled: int | None = None
    missed: int | None = None
    running: bool


class Freshness(ResponseModel):
    regions: list[RegionFreshness]


@routes.get("/usage/freshness", responses={200: {"model": Freshness}})
async def get_freshness(call: AnyViewer) -> Response:
    """Get the freshness of each region's usage.

    `asOf` is the hour of the last sampling that went through all accounts. A region without `asOf` was never sampled;
    its usage may be imported. While `running`, the last sampling is in progress or waits for its cluster. Operator keys
    also see how many accounts it has `sampled` and `missed`.
    """
    counted = call.actor.kind is Kind.OPERATOR
    return Json(await call.database.run(sampling_queries.freshness, counted=counted))
