"""What all pages of one partner share: whose it is, and what stands around them."""

from typing import Any
from uuid import UUID

from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.console.page_request import PageRequest
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.organisations.organisation import no_partner
from tonnage.partners.partner_queries import PartnerDetail, partner_detail


def path_of(partner_id: UUID) -> str:
    """Of the first of its pages."""
    return f"/distributor/partners/{partner_id}"


def crumbs_to(facts: PartnerDetail) -> list[tuple[str, str]]:
    """Down to the partner."""
    return [(gettext("Partners"), "/distributor/partners"), (facts.name, path_of(facts.id))]


async def facts_of(conn: Connection, page: PageRequest, partner_id: UUID) -> PartnerDetail:
    """NotFound: the visitor's organisation has no such partner."""
    facts = await partner_detail(conn, page.actor.organisation_id, partner_id)
    if facts is None:
        raise no_partner(partner_id)
    return facts


def partner_page(
    page: PageRequest, template: str, facts: PartnerDetail, *, status: int = 200, **context: Any
) -> Response:
    """A page about the partner; its template extends `distributor/partner.html`."""
    return page.render(
        template,
        status=status,
        facts=facts,
        base=path_of(facts.id),
        may_change=page.actor.role.includes(Role.STAFF),
        may_delete=page.actor.role.includes(Role.ADMIN),
        **context,
    )
