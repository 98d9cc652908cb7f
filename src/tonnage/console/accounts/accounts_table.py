"""A partner's storage accounts as a list: what may be asked of it, and the whole of it as a file."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from starlette.responses import Response

from tonnage.accounts.lists import ACCOUNTS, every_account
from tonnage.console.accounts.scope import AccountsScope
from tonnage.console.rendering import gettext
from tonnage.console.wording.catalogue import N_
from tonnage.db import Connection
from tonnage.web.csv_file import CsvFile
from tonnage.web.list_state import read_list_state

LISTED = replace(ACCOUNTS, preserve=("from", "to"))
"""The list beside a range of days."""

_COLUMNS = (
    N_("Company"),
    N_("Contact e-mail"),
    N_("Number"),
    N_("Allocated bytes"),
    N_("Overdraft"),
    N_("Used bytes"),
    N_("Objects"),
    N_("Region"),
    N_("Created"),
    N_("Deleted on"),
    N_("Suspended"),
    N_("Storage cluster"),
)


def accounts_file(accounts_scope: AccountsScope) -> Response:
    """What the list shows with the same search, filter and order: all pages of it."""
    page = accounts_scope.page
    scope = page.actor.organisation_id
    state = read_list_state(LISTED, page.request.query_params)

    async def rows(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        async for row in every_account(conn, scope, accounts_scope.partner_id, state):
            yield (
                row.name,
                row.contact_email,
                row.id,
                row.allocated,
                gettext("yes") if row.overdraft else gettext("no"),
                row.used,
                row.objects,
                row.region,
                page.formats.date_of(row.created_at),
                row.pending_deleted_at and page.formats.date_of(row.pending_deleted_at),
                gettext("yes") if row.is_suspended else gettext("no"),
                row.provisioning,
            )

    header = [gettext(name) for name in _COLUMNS]
    return CsvFile(page.database.streams, scope, "storage-accounts.csv", header, rows)
