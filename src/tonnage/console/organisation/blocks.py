"""Blocks of sign-ins, of the reader's organisation and its partners; of everybody for the operator."""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Kind
from tonnage.authentication.throttling import ThrottleKind
from tonnage.blocks.actions import lift_block
from tonnage.blocks.block import ADDRESS, Block, no_block
from tonnage.blocks.lists import BLOCKS, block_rows, find_block
from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.page_request import AnyAdmin, PageRequest
from tonnage.console.rendering import gettext
from tonnage.console.tables.blocks import BLOCKS_TABLE, MEMBER_BLOCKS_TABLE
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath
from tonnage.wording.catalogue import N_

PATH = "/blocks"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)

_REFUSED: Mapping[str | None, str] = {
    ThrottleKind.PAIR: N_("Password, from one client"),
    ThrottleKind.CLIENT: N_("All sign-ins of a client"),
    ThrottleKind.RESETS: N_("Links for a client"),
    ThrottleKind.DEVICE: N_("Password, in a known browser"),
    ThrottleKind.CODES: N_("Two-factor codes"),
    ThrottleKind.PASSWORDS: N_("Password, in an open session"),
    ADDRESS: N_("Password without a link"),
    None: N_("Counted by an earlier version"),
}
"""What a kind of block refuses."""


@routes.get("")
async def blocks(page: AnyAdmin) -> Response:
    """Those in force, the latest first."""
    state = read_list_state(BLOCKS, page.request.query_params)
    found = await page.database.run(block_rows, page.actor.scope, page.wall_now, state)
    table = BLOCKS_TABLE if page.actor.kind is Kind.OPERATOR else MEMBER_BLOCKS_TABLE
    listed = table.paged(page, PATH, found, state, row_path=None, refused=_REFUSED)
    return page.render("organisation/blocks.html", list=listed)


@routes.get("/{blockID}/lift")
@routes.post("/{blockID}/lift")
async def lift(page: AnyAdmin, blockID: UuidPath) -> Response:
    """Asks before attempts are accepted again."""
    block = await page.database.run(find_block, page.actor.scope, blockID, page.wall_now)
    if block is None:
        raise no_block(blockID)

    async def ask() -> Confirmation:
        return _question(page, block)

    async def act() -> None:
        await page.database.run(lift_block, page.actor, blockID, page.wall_now)

    return await confirm(page, ask, act, done=PATH, notice=gettext("Block lifted"))


def _question(page: PageRequest, block: Block) -> Confirmation:
    refused = gettext(_REFUSED[block.kind])
    sentences = [
        f"{refused} ({block.network})" if block.network else refused,
        gettext("%(failures)s failed attempts. Blocked since %(since)s, until %(until)s.")
        % {
            "failures": page.formats.number(block.failures),
            "since": page.formats.moment(block.since),
            "until": page.formats.moment(block.until),
        },
        gettext("Attempts are accepted again at once, and those that failed no longer count."),
    ]
    if block.member_id:
        sentences.append(gettext("Lift it only if you are sure that it was the member who failed."))
    return Confirmation(
        title=gettext("Lift block of %(name)s") % {"name": block.name or block.email or block.network or "–"},
        crumbs=[(gettext("Blocked sign-ins"), PATH)],
        sentences=sentences,
        button=gettext("Lift block"),
        cancel=PATH,
    )
