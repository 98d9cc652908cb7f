"""The timed override of a storage account: more capacity until a day."""

from starlette.responses import Response

from tonnage.accounts.account import PartnerRemaining
from tonnage.accounts.account_queries import AccountDetail
from tonnage.accounts.actions import no_account
from tonnage.accounts.queries import partner_remaining
from tonnage.console import override_form
from tonnage.console.accounts.scope import AccountContext
from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.override_form import OverrideForm
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.overrides.actions import end_of_account, grant_to_account
from tonnage.overrides.queries import PresentOverride, override_of_account
from tonnage.utc import last_day_before
from tonnage.web.forms import BoundForm


async def show(context: AccountContext) -> Response:
    """The form, with the override that runs."""
    return await _page(context, None)


async def grant(context: AccountContext) -> Response:
    """Back to the account."""
    page = context.page
    form = override_form.bound(page)

    async def act(values: OverrideForm) -> object:
        who = page.actor, context.partner_id, context.account_id
        return await page.database.run(
            grant_to_account, *who, values.override, page.business_now, expected=override_form.seen(page)
        )

    await form.submit(act, about="capacity")
    if form.errors:
        return await _page(context, form)
    return page.redirect(context.path, gettext("Override granted"))


async def _page(context: AccountContext, form: BoundForm[OverrideForm] | None) -> Response:
    page = context.page

    async def read(conn: Connection) -> tuple[AccountDetail, PresentOverride | None, PartnerRemaining | None]:
        account, present = await _found(conn, context)
        who = context.scope, context.partner_id, context.account_id
        return account, present, await partner_remaining(conn, *who, for_override=True)

    account, present, room = await page.database.run(read)
    if room is None:
        raise no_account(context.account_id)
    return context.render(
        "accounts/override.html",
        account,
        status=form.status if form else 200,
        form=form or override_form.filled(page, present),
        room=room,
        remaining=max(0, room.allocated - room.allocated_to_accounts) if room.bounded else None,
        **override_form.of_page(page, present),
    )


async def _found(conn: Connection, context: AccountContext) -> tuple[AccountDetail, PresentOverride | None]:
    account = await context.found(conn)
    return account, await override_of_account(conn, context.scope, context.partner_id, context.account_id)


async def end(context: AccountContext) -> Response:
    """Ends it before its last day."""
    page = context.page

    async def ask() -> Confirmation | None:
        account, present = await page.database.run(_found, context)
        if present is None:
            return None
        last, allocated = page.formats.day(last_day_before(present.valid_until)), page.formats.size(account.allocated)
        return Confirmation(
            title=gettext("End the override of %(account)s") % {"account": account.name},
            crumbs=context.crumbs(account),
            sentences=[
                gettext("The override of %(capacity)s until %(last)s ends now; the allocation of %(allocated)s counts.")
                % {"capacity": page.formats.size(present.capacity), "last": last, "allocated": allocated},
                gettext("Nothing is deleted. If the account uses more, it cannot write until usage has fallen."),
            ],
            button=gettext("End override"),
            danger=True,
            cancel=context.path,
            hidden=override_form.hidden(present),
        )

    async def act() -> None:
        who = page.actor, context.partner_id, context.account_id
        await page.database.run(end_of_account, *who, page.business_now, expected=override_form.seen(page))

    return await confirm(page, ask, act, done=context.path, notice=gettext("Override ended"))
