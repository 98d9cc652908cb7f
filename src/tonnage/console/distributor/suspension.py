"""Suspending a partner as a whole, and resuming it."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.distributor.partner import crumbs_to, facts_of, path_of
from tonnage.console.edit_conflict import explain
from tonnage.console.page_request import DistributorStaff
from tonnage.console.rendering import gettext, said
from tonnage.partners.partner_queries import PartnerDetail
from tonnage.suspensions.actions import resume_partner, suspend_partner
from tonnage.web.edit_form import BoundEdit, EditForm, OptionalName, bind_edit, unbound_edit
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

routes = APIRouter(prefix="/distributor/partners/{partnerID}", route_class=AuthFirstRoute, include_in_schema=False)


class PartnerSuspensionForm(EditForm):
    """The reason, shown to the partner. Initially the present one, "" if it is not suspended."""

    reason: OptionalName


@routes.get("/suspend")
async def ask_suspend(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """What happens, and a field for the reason."""
    return _question(page, await page.database.run(facts_of, page, partnerID), None)


@routes.post("/suspend")
async def suspend(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """One that is suspended already gets the new reason."""
    form = bind_edit(PartnerSuspensionForm, page.fields)

    async def act(values: PartnerSuspensionForm, seen: PartnerSuspensionForm) -> object:
        return await page.database.run(
            suspend_partner, page.actor, partnerID, values.reason, page.business_now, expected_reason=seen.reason
        )

    if await form.apply(act, about="reason"):
        return page.redirect(f"{path_of(partnerID)}/settings", gettext("Partner suspended"))
    facts = await page.database.run(facts_of, page, partnerID)
    await explain(page, PartnerSuspensionForm, form, _present(facts), partnerID)
    return _question(page, facts, form)


def _present(facts: PartnerDetail) -> dict[str, str]:
    return {"reason": facts.suspension_reason or ""}


def _question(page: DistributorStaff, facts: PartnerDetail, form: BoundEdit[PartnerSuspensionForm] | None) -> Response:
    question = Confirmation(
        title=gettext("Suspend %(partner)s") % {"partner": facts.name},
        crumbs=crumbs_to(facts),
        sentences=[
            gettext(
                "All of its storage accounts are suspended: their access keys stop working, and nobody else can read "
                "or write their data either. Many accounts take a few minutes."
            ),
            gettext(
                "Its API keys can only read, from within a second. Its members can sign in, but cannot change storage "
                "accounts or access keys, and nobody can create accounts for it."
            ),
            gettext(
                "Stored data stays and still counts as usage. When you resume the partner, everything works as before; "
                "accounts that are suspended by themselves stay so."
            ),
        ],
        fields=[("reason", gettext("Reason"), gettext("Shown to its members on every page, and to its programs."))],
        button=gettext("Suspend partner"),
        danger=True,
        cancel=f"{path_of(facts.id)}/settings",
    )
    return question.render(page, form or unbound_edit(PartnerSuspensionForm, _present(facts)))


@routes.get("/resume")
@routes.post("/resume")
async def resume(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """Ends the suspension."""
    path = f"{path_of(partnerID)}/settings"

    async def ask() -> Confirmation | None:
        facts = await page.database.run(facts_of, page, partnerID)
        if facts.suspended_at is None:
            return None
        return Confirmation(
            title=gettext("Resume %(partner)s") % {"partner": facts.name},
            crumbs=crumbs_to(facts),
            sentences=[
                gettext("Suspended since %(moment)s: %(reason)s")
                % {"moment": page.formats.moment(facts.suspended_at), "reason": said(facts.suspension_reason or "")},
                gettext(
                    "Its storage accounts work again, but those that are suspended by themselves, and its API keys can "
                    "change things again."
                ),
            ],
            button=gettext("Resume partner"),
            cancel=path,
        )

    async def act() -> None:
        await page.database.run(resume_partner, page.actor, partnerID)

    return await confirm(page, ask, act, done=path, notice=gettext("Partner resumed"))
