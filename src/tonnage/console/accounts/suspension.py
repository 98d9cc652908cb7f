"""Suspending a storage account, and resuming it."""

from starlette.responses import Response

from tonnage.accounts.change_actions import resume_account, suspend_account
from tonnage.console.accounts.scope import AccountContext
from tonnage.console.edit_conflict import explain
from tonnage.console.rendering import gettext
from tonnage.web.edit_form import BoundEdit, EditForm, OptionalName, bind_edit, unbound_edit
from tonnage.web.forms import BoundForm, Form, bind, unbound


class SuspensionForm(EditForm):
    """Why: whoever looks at the account sees it. Made from the present reason, "" if it is not suspended."""

    reason: OptionalName


async def ask(context: AccountContext) -> Response:
    """What it means, and the field for the reason; with the present one, where it is suspended already."""
    return await _asking(context, None)


async def suspend(context: AccountContext) -> Response:
    """Back to the account."""
    page = context.page
    form = bind_edit(SuspensionForm, page.fields)

    async def act(typed: SuspensionForm, seen: SuspensionForm) -> bytes:
        who = page.actor, context.partner_id, context.account_id
        return await page.database.run(suspend_account, *who, typed.reason, page.now, expected_reason=seen.reason)

    await form.apply(act)
    if form.errors:
        return await _asking(context, form)
    return page.redirect(context.path, gettext("The storage account is suspended."))


async def ask_resuming(context: AccountContext) -> Response:
    """What it means. Not suspended: on to the account."""
    return await _asking_resuming(context, None)


async def resume(context: AccountContext) -> Response:
    """Back to the account."""
    page = context.page
    form = bind(Form, page.fields)

    async def act(_: Form) -> None:
        await page.database.run(resume_account, page.actor, context.partner_id, context.account_id)

    await form.submit(act)
    if form.errors:
        return await _asking_resuming(context, form)
    return page.redirect(context.path, gettext("The storage account is resumed."))


async def _asking(context: AccountContext, form: BoundEdit[SuspensionForm] | None) -> Response:
    account = await context.account()
    present = {"reason": account.suspension_reason or ""}
    if form is not None:
        await explain(context.page, SuspensionForm, form, present, context.account_id)
    sentences = [
        gettext("Its access keys open nothing any more, and nobody else reads or writes there either."),
        gettext("What is stored stays, and counts. Once it is resumed, everything is as before."),
        *_unenforced(account.provisioning),
    ]
    return context.render(
        "components/confirm.html",
        account,
        status=form.status if form else 200,
        title=gettext("Suspend %(account)s") % {"account": account.name},
        crumbs=context.crumbs(account),
        sentences=sentences,
        form=form or unbound_edit(SuspensionForm, present),
        fields=[("reason", gettext("Reason"), gettext("Whoever looks at the account sees it."))],
        button=gettext("Suspend"),
        danger=True,
        cancel=context.path,
    )


async def _asking_resuming(context: AccountContext, form: BoundForm[Form] | None) -> Response:
    account = await context.account()
    if account.suspended_at is None:
        return context.page.redirect(context.path)
    sentences = [
        gettext("It was suspended on %(moment)s: %(reason)s")
        % {"moment": context.page.formats.moment(account.suspended_at), "reason": account.suspension_reason},
        gettext("Its access keys work again as before."),
    ]
    if account.pending_deleted_at is not None:
        sentences[-1] = gettext("Its access keys read again; since it waits for its deletion, they write nothing.")
    return context.render(
        "components/confirm.html",
        account,
        status=form.status if form else 200,
        title=gettext("Resume %(account)s") % {"account": account.name},
        crumbs=context.crumbs(account),
        sentences=sentences,
        form=form or unbound(Form),
        button=gettext("Resume"),
        cancel=context.path,
    )


def _unenforced(provisioning: str) -> list[str]:
    if provisioning != "metered":
        return []
    return [
        gettext(
            "The region is metered only: nothing is enforced from here, so whoever runs its storage has to block the "
            "account there."
        )
    ]
