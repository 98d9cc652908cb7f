"""How fresh what usage reports say is."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Kind
from tonnage.access.guard import AnyViewer
from tonnage.usage import sampling_queries
from tonnage.web.payload import Answer, MomentText, shown
from tonnage.web.reply import Json
from tonnage.web.route import Door

routes = APIRouter(prefix="/ext/v1", route_class=Door, tags=["Distributors", "Partners"])


class RegionFreshness(Answer):
    model_config = shown(
        {
            "region": "eu-central-2",
            "plane": "ceph",
            "asOf": "2026-03-15T12:00:00Z",
            "sampled": 1_204,
            "missed": 0,
            "running": False,
        }
    )

    region: str
    plane: str
    asOf: MomentText | None = None
    sampled: int | None = None
    missed: int | None = None
    running: bool


class Freshness(Answer):
    regions: list[RegionFreshness]


@routes.get("/usage/freshness", responses={200: {"model": Freshness}})
async def get_freshness(call: AnyViewer) -> Response:
    """Say how fresh the usage of each region is.

    `asOf` is the hour of the last sampling that went through all accounts; a region without it was never sampled: its
    usage may be imported. The last one is under way, or waits for its cluster, while `running`. Keys of the operator
    also see how many accounts it has `sampled` and `missed`.
    """
    counted = call.actor.kind is Kind.OPERATOR
    return Json(await call.database.run(lambda conn: sampling_queries.freshness(conn, counted=counted)))
