"""An organisation's own billing profile."""

from functools import partial

from tonnage.billing_profiles.billing_profile import ProfileSubject
from tonnage.console.billing.profile import ProfilePage, profile_routes
from tonnage.console.page_request import AnyAdmin, AnyMember, PageRequest

PATH = "/billing-profile"


def _own(page: PageRequest) -> ProfilePage:
    return ProfilePage(page, ProfileSubject.own(page.actor), PATH, partial(page.render, "billing/own.html"))


async def _for_reader(page: AnyMember) -> ProfilePage:
    return _own(page)


async def _for_admin(page: AnyAdmin) -> ProfilePage:
    return _own(page)


routes = profile_routes(PATH, reading=_for_reader, changing=_for_admin)
