"""The billing profile that a distributor keeps of a partner."""

from functools import partial

from tonnage.billing_profiles.actions import of_buyer
from tonnage.console.billing.profile import ProfilePage, closed_profile, profile_routes
from tonnage.console.distributor.partner import facts_of, partner_page, path_of
from tonnage.console.page_request import DistributorAdmin, DistributorViewer, PageRequest
from tonnage.errors import NotFound
from tonnage.web.schemas import UuidPath


async def _kept(page: PageRequest, partner_id: UuidPath) -> ProfilePage:
    subject, path = of_buyer(page.actor, partner_id), f"{path_of(partner_id)}/billing-profile"
    try:
        facts = await page.database.run(facts_of, page, partner_id)
    except NotFound as missing:
        return await closed_profile(page, subject, path, missing)
    return ProfilePage(page, subject, path, partial(partner_page, page, "distributor/billing_profile.html", facts))


async def _for_viewer(page: DistributorViewer, partnerID: UuidPath) -> ProfilePage:
    return await _kept(page, partnerID)


async def _for_admin(page: DistributorAdmin, partnerID: UuidPath) -> ProfilePage:
    return await _kept(page, partnerID)


routes = profile_routes("/distributor/partners/{partnerID}/billing-profile", reading=_for_viewer, changing=_for_admin)
