"""The billing profile that a distributor keeps of a partner."""

from functools import partial

from tonnage.billing_profiles.actions import of_buyer
from tonnage.console.billing.profile import ProfilePage, profile_routes
from tonnage.console.distributor.partner import facts_of, partner_page, path_of
from tonnage.console.page_request import DistributorAdmin, DistributorViewer, PageRequest
from tonnage.web.schemas import UuidPath


async def _kept(page: PageRequest, partner_id: UuidPath) -> ProfilePage:
    facts = await page.database.run(facts_of, page, partner_id)
    render = partial(partner_page, page, "distributor/billing_profile.html", facts)
    return ProfilePage(page, of_buyer(page.actor, partner_id), f"{path_of(partner_id)}/billing-profile", render)


async def _for_viewer(page: DistributorViewer, partnerID: UuidPath) -> ProfilePage:
    return await _kept(page, partnerID)


async def _for_admin(page: DistributorAdmin, partnerID: UuidPath) -> ProfilePage:
    return await _kept(page, partnerID)


routes = profile_routes("/distributor/partners/{partnerID}/billing-profile", reading=_for_viewer, changing=_for_admin)
