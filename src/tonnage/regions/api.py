"""The public list of regions."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from tonnage.api_keys.guard import services_of
from tonnage.regions import queries
from tonnage.web.responses import Json
from tonnage.web.routing import ApiRoute
from tonnage.web.schemas import ResponseModel, UrlText, with_example

routes = APIRouter(prefix="/v1", route_class=ApiRoute, tags=["Integrations"])


class Region(ResponseModel):
    """A region where storage accounts can live."""

    model_config = with_example(
        {
            "name": "eu-central-2",
            "s3_url": "https://s3.eu-central-2.example.com",
            "iam_url": "https://iam.eu-central-2.example.com",
            "sts_url": "https://sts.eu-central-2.example.com",
        }
    )

    name: str
    """Its name, as new storage accounts give it."""
    s3_url: UrlText
    """The address of its S3 API."""
    iam_url: UrlText
    """The address of its IAM API."""
    sts_url: UrlText
    """The address of its STS API."""


class ListRegionsResponse(ResponseModel):
    """The regions."""

    regions: list[Region]
    """All of them."""


@routes.get("/integration/regions/list", responses={200: {"model": ListRegionsResponse}})
async def list_regions(request: Request) -> Response:
    """List the regions where storage accounts can live.

    Needs no API key.
    """
    return Json(await services_of(request).database.run(queries.published_regions))
