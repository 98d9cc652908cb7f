"""Deleting a storage account, and taking that back."""

from starlette.responses import Response

from tonnage.accounts.account import earliest_purge
from tonnage.accounts.account_queries import AccountDetail
from tonnage.accounts.actions import delete_account, set_deletion
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
            button=gettext("Delete account"),
            danger=True,
            cancel=context.path,
        )

    async def act() -> None:
        await page.database.run(
            delete_account, page.actor, context.partner_id, context.account_id, grace, page.business_now
        )

    notice = gettext("Account deletion scheduled")
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
                gettext("The account is scheduled for deletion on %(moment)s. Restoring it cancels the deletion.")
                % {"moment": moment},
                gettext("Its access keys can write again.")
                if account.suspended_at is None
                else gettext("The account stays suspended until you resume it."),
            ],
            button=gettext("Restore account"),
            cancel=context.path,
        )

    async def act() -> None:
        await page.database.run(
            set_deletion, page.actor, context.partner_id, context.account_id, None, grace, page.business_now
        )

    return await confirm(page, ask, act, done=context.path, notice=gettext("Account restored"))


def _consequences(context: AccountContext, account: AccountDetail) -> list[str]:
    formats = context.page.formats
    due = earliest_purge(context.page.business_now, context.page.services.deletion_grace_days)
    day = formats.moment(due)
    stored = formats.size(account.used)
    sentences = [
        gettext("The account becomes read-only: its access keys can read, but not write."),
        gettext("On %(moment)s, everything stored in it is permanently deleted: %(size)s at the last measurement.")
        % {"moment": day, "size": stored},
        gettext("You can restore it until then. Its usage still counts and is billed as before."),
    ]
    if account.provisioning == "metered":
        sentences[0] = gettext(
            "Its region is metered only, so Tonnage enforces nothing there. The operator of the storage has to make "
            "the account read-only and delete its data."
        )
        sentences[1] = gettext("On %(moment)s, the account is permanently removed from Tonnage.") % {"moment": day}
    if account.allocated:
        sentences.append(
            gettext("Its allocation of %(size)s becomes available to other accounts only after that.")
            % {"size": formats.size(account.allocated)}
        )
    return sentences
