"""A section of the start page with all its rows, for those that no list has."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.attention.sections import WHOLE, ShownSection, attention_reader, sections_for
from tonnage.console.page_request import AnyMember
from tonnage.errors import NotFound
from tonnage.web.routing import AuthFirstRoute

routes = APIRouter(prefix=WHOLE, route_class=AuthFirstRoute, include_in_schema=False)

_MOST = 200


@routes.get("/{section}")
async def show(page: AnyMember, section: str) -> Response:
    """The first of them, with the number of all."""
    known = next((one for one in sections_for(page.actor) if one.name == section), None)
    if known is None:
        raise NotFound("There is no page at this address. Check the address, or go to the start page.")
    found = await page.database.run(known.query, attention_reader(page), _MOST)
    return page.render("attention/section.html", shown=ShownSection(known, found, page.actor))
