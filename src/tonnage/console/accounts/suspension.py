"""Suspending a storage account, and resuming it."""

from starlette.responses import Response

from tonnage.accounts.change_actions import resume_account, suspend_account
from tonnage.console.accounts.scope import AccountContext
from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.edit_conflict import explain
from tonnage.console.rendering import gettext
from tonnage.web.edit_form import BoundEdit, EditForm, OptionalName, bind_edit, unbound_edit


class SuspensionForm(EditForm):
    """The reason, shown with the account. Initially the present one, "" if it is not suspended."""

    reason: OptionalName


async def suspend(context: AccountContext) -> Response:
    """Its page has a field for the reason, with the present one where it is suspended already."""
    page = context.page
    if page.request.method == "GET":
        return await _suspension(context, None)
    form = bind_edit(SuspensionForm, page.fields)

    async def act(values: SuspensionForm, seen: SuspensionForm) -> object:
        who = page.actor, context.partner_id, context.account_id
        return await page.database.run(
            suspend_account, *who, values.reason, page.business_now, expected_reason=seen.reason
        )

    await form.apply(act)
    if form.errors:
        return await _suspension(context, form)
    return page.redirect(context.path, gettext("Account suspended"))


async def _suspension(context: AccountContext, form: BoundEdit[SuspensionForm] | None) -> Response:
    account = await context.account()
    present = {"reason": account.suspension_reason or ""}
    if form is not None:
        await explain(context.page, SuspensionForm, form, present, context.account_id)
    question = Confirmation(
        title=gettext("Suspend %(account)s") % {"account": account.name},
        crumbs=context.crumbs(account),
        sentences=[
            gettext("Its access keys stop working, and nobody else can read or write its data either."),
            gettext(
                "Stored data stays and still counts as usage. When you resume the account, everything works as before."
            ),
            *_unenforced(account.provisioning),
        ],
        fields=[("reason", gettext("Reason"), gettext("Shown to everyone who can see this account."))],
        button=gettext("Suspend account"),
        danger=True,
        cancel=context.path,
    )
    return question.render(context.page, form or unbound_edit(SuspensionForm, present))


async def resume(context: AccountContext) -> Response:
    """Ends the suspension."""
    page = context.page

    async def ask() -> Confirmation | None:
        account = await context.account()
        if account.suspended_at is None:
            return None
        return Confirmation(
            title=gettext("Resume %(account)s") % {"account": account.name},
            crumbs=context.crumbs(account),
            sentences=[
                gettext("Suspended since %(moment)s: %(reason)s")
                % {"moment": page.formats.moment(account.suspended_at), "reason": account.suspension_reason},
                gettext("Its access keys work again.")
                if account.pending_deleted_at is None
                else gettext(
                    "Its access keys can read again, but not write, because the account is scheduled for deletion."
                ),
            ],
            button=gettext("Resume account"),
            cancel=context.path,
        )

    async def act() -> None:
        await page.database.run(resume_account, page.actor, context.partner_id, context.account_id)

    return await confirm(page, ask, act, done=context.path, notice=gettext("Account resumed"))


def _unenforced(provisioning: str) -> list[str]:
    if provisioning != "metered":
        return []
    return [
        gettext(
            "Its region is metered only, so Tonnage enforces nothing there. The operator of the storage has to block "
            "the account."
        )
    ]
