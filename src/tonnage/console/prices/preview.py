"""What buyers would be charged for the running month under a version, a draft or a published one."""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Kind
from tonnage.console.page_request import AnyMember, PageRequest
from tonnage.console.prices.books import PATH
from tonnage.console.prices.shown import buyers_counted
from tonnage.console.rendering import gettext
from tonnage.console.tables.price_previews import PREVIEW_TABLE
from tonnage.price_books.version import version_number
from tonnage.price_previews.actions import PreviewPage, preview_page
from tonnage.price_previews.lists import PREVIEWS
from tonnage.price_previews.price_preview import NoPreview
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

routes = APIRouter(prefix=f"{PATH}/{{bookID}}/versions/{{number}}", route_class=AuthFirstRoute, include_in_schema=False)

_BUYERS: Mapping[Kind, str] = {
    Kind.OPERATOR: "/operator/contracts/",
    Kind.DISTRIBUTOR: "/distributor/partners/",
    Kind.PARTNER: "/partner/accounts/",
}
"""What the paths of their pages begin with."""


@routes.get("/preview")
async def preview(page: AnyMember, bookID: UuidPath, number: str) -> Response:
    """A page of the buyers, those with the largest fee first."""
    state = read_list_state(PREVIEWS, page.request.query_params)
    found = await page.database.transaction(
        preview_page,
        page.actor,
        bookID,
        version_number(bookID, number),
        state,
        page.business_now,
        whole="whole" in state.preserved,
    )
    return page.render(
        "prices/preview.html",
        found=found,
        terms=found.terms,
        whose=_whose(page, found),
        has_large=any(one.amounts is NoPreview.TOO_MANY_PARTNERS for one in found.found.rows),
        list=PREVIEW_TABLE.paged(page, page.path, found.found, state, row_path=_BUYERS[page.actor.kind]),
    )


def _whose(page: PageRequest, found: PreviewPage) -> str:
    """The note of a sum: of how many buyers it is."""
    counted = buyers_counted(page, found.sums.buyers)
    return gettext("of %(buyers)s") % {"buyers": counted}
