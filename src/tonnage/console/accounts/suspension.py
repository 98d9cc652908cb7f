"""Suspending a storage account, and resuming it."""

from starlette.responses import Response

from tonnage.accounts.change_actions import resume_account, suspend_account
from tonnage.console.accounts.place import Place
from tonnage.console.rendering import gettext
from tonnage.web.forms import Filled, Form, blank, fill
from tonnage.web.payload import Name


class SuspensionForm(Form):
    """Why: whoever looks at the account sees it."""

    reason: Name


async def ask(place: Place) -> Response:
    """What it means, and the field for the reason; with the present one, where it is suspended already."""
    return await _asking(place, None)


async def suspend(place: Place) -> Response:
    """Back to the account."""
    visit = place.visit
    form = fill(SuspensionForm, visit.fields)

    async def act(typed: SuspensionForm) -> bytes:
        return await visit.database.run(
            lambda conn: suspend_account(conn, visit.actor, place.partner_id, place.account_id, typed.reason, visit.now)
        )

    await form.submit(act)
    if form.errors:
        return await _asking(place, form)
    return visit.see(place.path, gettext("The storage account is suspended."))


async def ask_resuming(place: Place) -> Response:
    """What it means. Not suspended: on to the account."""
    return await _asking_resuming(place, None)


async def resume(place: Place) -> Response:
    """Back to the account."""
    visit = place.visit
    form = fill(Form, visit.fields)

    async def act(_: Form) -> None:
        await visit.database.run(lambda conn: resume_account(conn, visit.actor, place.partner_id, place.account_id))

    await form.submit(act)
    if form.errors:
        return await _asking_resuming(place, form)
    return visit.see(place.path, gettext("The storage account is resumed."))


async def _asking(place: Place, form: Filled[SuspensionForm] | None) -> Response:
    account = await place.account()
    sentences = [
        gettext("Its access keys open nothing any more, and nobody else reads or writes there either."),
        gettext("What is stored stays, and counts. Once it is resumed, everything is as before."),
        *_unenforced(account.provisioning),
    ]
    return place.page(
        "components/confirm.html",
        account,
        status=form.status if form else 200,
        title=gettext("Suspend %(account)s") % {"account": account.name},
        crumbs=place.crumbs(account),
        sentences=sentences,
        form=form or blank(SuspensionForm, reason=account.suspension_reason or ""),
        fields=[("reason", gettext("Reason"), gettext("Whoever looks at the account sees it."))],
        button=gettext("Suspend"),
        danger=True,
        cancel=place.path,
    )


async def _asking_resuming(place: Place, form: Filled[Form] | None) -> Response:
    account = await place.account()
    if account.suspended_at is None:
        return place.visit.see(place.path)
    sentences = [
        gettext("It was suspended on %(moment)s: %(reason)s")
        % {"moment": place.visit.formats.moment(account.suspended_at), "reason": account.suspension_reason},
        gettext("Its access keys work again as before."),
    ]
    if account.pending_deleted_at is not None:
        sentences[-1] = gettext("Its access keys read again; since it waits for its deletion, they write nothing.")
    return place.page(
        "components/confirm.html",
        account,
        status=form.status if form else 200,
        title=gettext("Resume %(account)s") % {"account": account.name},
        crumbs=place.crumbs(account),
        sentences=sentences,
        form=form or blank(Form),
        button=gettext("Resume"),
        cancel=place.path,
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
