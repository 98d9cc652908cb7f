"""The rule of a distributor about overdue statements: when it suspends partners, and when it warns them."""

from typing import Annotated, Any, ClassVar

from fastapi import APIRouter
from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.billing_profiles.settings import SETTINGS, SellerSettings
from tonnage.billing_profiles.settings_actions import change_settings
from tonnage.billing_profiles.settings_queries import FoundSettings, seller_settings
from tonnage.console.edit_conflict import explain
from tonnage.console.page_request import DistributorAdmin, DistributorViewer, PageRequest
from tonnage.console.rendering import gettext
from tonnage.errors import Sentence
from tonnage.web.edit_form import BoundEdit, EditForm, bind_edit, unbound_edit
from tonnage.web.routing import AuthFirstRoute

PATH = "/distributor/overdue-statements"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)


def _number(text: str) -> str:
    if not text.strip().isascii() or not text.strip().isdigit() or len(text) > 12:
        raise ValueError(Sentence("must be a whole number"))
    return str(int(text))


def _numbers(text: str) -> str:
    return ", ".join(_number(part) for part in text.split(","))


class OverdueRuleForm(EditForm):
    """Days after a statement was due, 0 for never; and days before the suspension, separated by commas."""

    names: ClassVar = SETTINGS

    suspend_overdue_days: Annotated[str, AfterValidator(_number)] | None = None
    suspension_warning_days: Annotated[str, AfterValidator(_numbers)] | None = None


@routes.get("")
async def show(page: DistributorViewer) -> Response:
    """The rule as it is; admins change it."""
    found = await _found(page)
    return _page(page, found, unbound_edit(OverdueRuleForm, _texts(found.settings)))


@routes.post("")
async def change(page: DistributorAdmin) -> Response:
    """Its warnings begin anew."""
    form = bind_edit(OverdueRuleForm, page.fields)

    async def act(values: OverdueRuleForm, seen: OverdueRuleForm) -> object:
        wanted = {name: value for name, value in _values(values).items() if value is not None}
        return await page.database.run(change_settings, page.actor, wanted, page.business_now, expected=_values(seen))

    if await form.apply(act):
        return page.redirect(PATH, gettext("Settings saved"))
    found = await _found(page)
    await explain(page, OverdueRuleForm, form, _texts(found.settings), page.actor.organisation_id)
    return _page(page, found, form)


async def _found(page: PageRequest) -> FoundSettings:
    return await page.database.run(seller_settings, page.actor.organisation_id)


def _values(form: OverdueRuleForm) -> dict[str, Any]:
    days, warnings = form.suspend_overdue_days, form.suspension_warning_days
    return {
        "suspend_overdue_days": None if days is None else int(days),
        "suspension_warning_days": None if warnings is None else tuple(int(part) for part in warnings.split(",")),
    }


def _texts(settings: SellerSettings) -> dict[str, str]:
    return {
        "suspend_overdue_days": str(settings.suspend_overdue_days),
        "suspension_warning_days": ", ".join(str(days) for days in settings.suspension_warning_days),
    }


def _page(page: PageRequest, found: FoundSettings, form: BoundEdit[OverdueRuleForm]) -> Response:
    return page.render(
        "distributor/overdue.html",
        status=form.status,
        form=form,
        warnings=_texts(found.settings)["suspension_warning_days"],
        settings=found.settings,
        may_change=page.actor.role is Role.ADMIN,
    )
