"""The public list of regions."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from tonnage.access.guard import resources_of
from tonnage.regions import queries
from tonnage.web.payload import Answer, shown
from tonnage.web.reply import Json
from tonnage.web.route import Door

routes = APIRouter(prefix="/v1", route_class=Door, tags=["Integrations"])


class Region(Answer):
    model_config = shown(
        {
            "name": "eu-central-2",
            "s3_url": "https://s3.eu-central-2.example.com",
            "iam_url": "https://iam.eu-central-2.example.com",
            "sts_url": "https://sts.eu-central-2.example.com",
        }
    )

    name: str
    s3_url: str
    iam_url: str
    sts_url: str


class ListRegionsResponse(Answer):
    regions: list[Region]


@routes.get("/integration/regions/list", responses={200: {"model": ListRegionsResponse}})
async def list_regions(request: Request) -> Response:
    """List the regions where storage accounts can live.

    Needs no key.
    """
    return Json(await resources_of(request).database.run(queries.published_regions))
