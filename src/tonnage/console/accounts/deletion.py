"""Deleting a storage account, and taking that back."""

from starlette.responses import Response

from tonnage.accounts.account import earliest_purge
from tonnage.accounts.actions import delete_account, set_deletion
from tonnage.accounts.facts_queries import AccountFacts
from tonnage.console.accounts.place import Place
from tonnage.console.rendering import gettext
from tonnage.web.forms import Filled, Form, blank, fill


async def ask(place: Place) -> Response:
    """What happens when. It waits for its deletion already: on to the account."""
    account = await place.account()
    if account.pending_deleted_at is not None:
        return place.visit.see(place.path)
    return place.page(
        "components/confirm.html",
        account,
        title=gettext("Delete %(account)s") % {"account": account.name},
        crumbs=place.crumbs(account),
        sentences=_consequences(place, account),
        button=gettext("Delete storage account"),
        danger=True,
        cancel=place.path,
    )


async def delete(place: Place) -> Response:
    """Back to the account, which waits for its deletion from now on."""
    visit = place.visit
    grace = visit.resources.deletion_grace_days
    await visit.database.run(
        lambda conn: delete_account(conn, visit.actor, place.partner_id, place.account_id, grace, visit.now)
    )
    return visit.see(place.path, gettext("The storage account is read-only and waits for its deletion."))


async def ask_restoring(place: Place) -> Response:
    """What it means. Not to be deleted: on to the account."""
    return await _asking_restoring(place, None)


async def restore(place: Place) -> Response:
    """Back to the account."""
    visit = place.visit
    form = fill(Form, visit.fields)
    grace = visit.resources.deletion_grace_days

    async def act(_: Form) -> bytes:
        return await visit.database.run(
            lambda conn: set_deletion(conn, visit.actor, place.partner_id, place.account_id, None, grace, visit.now)
        )

    await form.submit(act)
    if form.errors:
        return await _asking_restoring(place, form)
    return visit.see(place.path, gettext("The storage account is restored."))


def _consequences(place: Place, account: AccountFacts) -> list[str]:
    formats = place.visit.formats
    due = earliest_purge(place.visit.now, place.visit.resources.deletion_grace_days)
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


async def _asking_restoring(place: Place, form: Filled[Form] | None) -> Response:
    account = await place.account()
    if account.pending_deleted_at is None:
        return place.visit.see(place.path)
    moment = place.visit.formats.moment(account.pending_deleted_at)
    sentences = [
        gettext("It would be deleted on %(moment)s. Restored, it stays.") % {"moment": moment},
        gettext("Its access keys write again as before.")
        if account.suspended_at is None
        else gettext("It stays suspended until it is resumed."),
    ]
    return place.page(
        "components/confirm.html",
        account,
        status=form.status if form else 200,
        title=gettext("Restore %(account)s") % {"account": account.name},
        crumbs=place.crumbs(account),
        sentences=sentences,
        form=form or blank(Form),
        button=gettext("Restore storage account"),
        cancel=place.path,
    )
