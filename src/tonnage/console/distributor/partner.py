"""What all pages of one partner share: whose it is, and what stands around them."""

from typing import Any
from uuid import UUID

from starlette.responses import Response

from tonnage.access.actions import no_partner
from tonnage.access.actor import Role
from tonnage.console.rendering import gettext
from tonnage.console.visit import Visit
from tonnage.db import Connection
from tonnage.partners.page_queries import PartnerFacts, partner_facts


def path_of(partner_id: UUID) -> str:
    """Of the first of its pages."""
    return f"/distributor/partners/{partner_id}"


def crumbs_to(facts: PartnerFacts) -> list[tuple[str, str]]:
    """Down to the partner."""
    return [(gettext("Partners"), "/distributor/partners"), (facts.name, path_of(facts.id))]


async def facts_of(conn: Connection, visit: Visit, partner_id: UUID) -> PartnerFacts:
    """NotFound: the visitor's organisation has no such partner."""
    facts = await partner_facts(conn, visit.actor.organisation_id, partner_id)
    if facts is None:
        raise no_partner(partner_id)
    return facts


def partner_page(visit: Visit, template: str, facts: PartnerFacts, *, status: int = 200, **context: Any) -> Response:
    """A page about the partner; its template extends `distributor/partner.html`."""
    return visit.page(
        template,
        status=status,
        facts=facts,
        base=path_of(facts.id),
        may_change=visit.actor.role.includes(Role.STAFF),
        may_delete=visit.actor.role.includes(Role.ADMIN),
        **context,
    )
