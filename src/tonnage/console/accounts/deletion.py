"""Deleting a storage account, and taking that back."""

from starlette.responses import Response

from tonnage.accounts.account import earliest_purge
from tonnage.accounts.actions import delete_account, set_deletion
from tonnage.accounts.lists import AccountDetail
from tonnage.console.accounts.scope import AccountContext
from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.rendering import gettext


async def delete(context: AccountContext) -> Response:
    """From then on it waits for its deletion."""
    page, grace = context.page, context.page.services.deletion_grace_days

    async def ask() -> Confirmation | None:
        account = await context.account()
        if account.pending_deleted_at is not None:
            return None
        return Confirmation(
            title=gettext("Delete %(account)s") % {"account": account.name},
            crumbs=context.crumbs(account),
            sentences=_consequences(context, account),
            button=gettext("Delete storage account"),
            danger=True,
            cancel=context.path,
        )

    async def act() -> None:
        await page.database.run(
            delete_account, page.actor, context.partner_id, context.account_id, grace, page.business_now
        )

    notice = gettext("The storage account is read-only and waits for its deletion.")
    return await confirm(page, ask, act, done=context.path, notice=notice)


async def restore(context: AccountContext) -> Response:
    """Takes the deletion back."""
    page, grace = context.page, context.page.services.deletion_grace_days

    async def ask() -> Confirmation | None:
        account = await context.account()
        if account.pending_deleted_at is None:
            return None
        moment = page.formats.moment(account.pending_deleted_at)
        return Confirmation(
            title=gettext("Restore %(account)s") % {"account": account.name},
            crumbs=context.crumbs(account),
            sentences=[
                gettext("It would be deleted on %(moment)s. Restored, it stays.") % {"moment": moment},
                gettext("Its access keys write again as before.")
                if account.suspended_at is None
                else gettext("It stays suspended until it is resumed."),
            ],
            button=gettext("Restore storage account"),
            cancel=context.path,
        )

    async def act() -> None:
        await page.database.run(
            set_deletion, page.actor, context.partner_id, context.account_id, None, grace, page.business_now
        )

    return await confirm(page, ask, act, done=context.path, notice=gettext("The storage account is restored."))


def _consequences(context: AccountContext, account: AccountDetail) -> list[str]:
    formats = context.page.formats
    due = earliest_purge(context.page.business_now, context.page.services.deletion_grace_days)
    day = formats.moment(due)
    stored = formats.size(account.used)
    sentences = [
        gettext("From now on it is read-only: its access keys read, and write nothing."),
        gettext("On %(moment)s, all that it stores, %(size)s at the last measurement, is deleted for good.")
        % {"moment": day, "size": stored},
        gettext("Until then it can be restored. Its use still counts, and is billed as before."),
    ]
    if account.provisioning == "metered":
        sentences[0] = gettext(
            "Its region is metered only: nothing is enforced from here, so whoever runs its storage has to make it "
            "read-only, and delete what it stores."
        )
        sentences[1] = gettext("On %(moment)s, it is gone from here for good.") % {"moment": day}
    if account.allocated:
        sentences.append(
            gettext("Its allocation of %(size)s is free for other accounts only after that.")
            % {"size": formats.size(account.allocated)}
        )
    return sentences
