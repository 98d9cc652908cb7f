"""Open sessions of an organisation's members. The rows are `sessions.lists.MemberSession`."""

from tonnage.console.tables.table import Column, Table
from tonnage.wording.catalogue import N_

SESSIONS_TABLE = Table(
    title=N_("Sessions"),
    label=N_("List of sessions"),
    search=N_("Search by name or e-mail"),
    no_match=N_("No matching sessions"),
    cells="tables/sessions.html",
    columns=(
        Column("email", N_("Member"), sort="member"),
        Column("user_agent", N_("Browser"), "words"),
        Column("last_seen_at", N_("Last used"), "number", sort="used"),
        Column("created_at", N_("Signed in"), "number optional", sort="since"),
        Column("id", N_("Actions"), "tools"),
    ),
)
