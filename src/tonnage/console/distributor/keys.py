"""The API keys of a partner, for its distributor."""

from functools import partial

from tonnage.console.distributor.partner import crumbs_to, facts_of, partner_page, path_of
from tonnage.console.organisation.others_keys import KeyHolder, others_key_routes
from tonnage.console.page_request import DistributorAdmin
from tonnage.web.schemas import UuidPath


async def _key_holder(page: DistributorAdmin, partnerID: UuidPath) -> KeyHolder:
    facts = await page.database.run(facts_of, page, partnerID)
    render = partial(partner_page, page, "distributor/keys.html", facts)
    return KeyHolder(page, partnerID, f"{path_of(partnerID)}/keys", crumbs_to(facts), render)


routes = others_key_routes("/distributor/partners/{partnerID}", _key_holder)
