"""The billing profile that the operator keeps of a distributor."""

from functools import partial

from tonnage.billing_profiles.actions import of_buyer
from tonnage.console.billing.profile import ProfilePage, closed_profile, profile_routes
from tonnage.console.operator.distributors import PATH, open_distributor
from tonnage.console.page_request import OperatorAdmin, OperatorViewer, PageRequest
from tonnage.errors import NotFound
from tonnage.web.schemas import UuidPath


async def _kept(page: PageRequest, distributor_id: UuidPath) -> ProfilePage:
    subject, path = of_buyer(page.actor, distributor_id), f"{PATH}/{distributor_id}/billing-profile"
    try:
        found = await page.database.run(open_distributor, distributor_id)
    except NotFound as missing:
        return await closed_profile(page, subject, path, missing)
    return ProfilePage(page, subject, path, partial(page.render, "operator/billing_profile.html", distributor=found))


async def _for_viewer(page: OperatorViewer, distributorID: UuidPath) -> ProfilePage:
    return await _kept(page, distributorID)


async def _for_admin(page: OperatorAdmin, distributorID: UuidPath) -> ProfilePage:
    return await _kept(page, distributorID)


routes = profile_routes(f"{PATH}/{{distributorID}}/billing-profile", reading=_for_viewer, changing=_for_admin)
