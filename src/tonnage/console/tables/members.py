"""Members: of one organisation (`members.queries.TeamRow`), and of all for the operator (`members.lists.MemberRow`)."""

from tonnage.console.rendering import day
from tonnage.console.tables.table import Column, Table
from tonnage.wording.catalogue import N_

_EMAIL = Column("email", N_("Member"), sort="email")
_ROLE = Column("role", N_("Role"), sort="role")
_SECOND_FACTOR = Column("has_second_factor", N_("Two-factor authentication"), "optional")
_ADDED = Column("created_at", N_("Added"), "number optional", show=day, sort="created")

TEAM_TABLE = Table(
    title=N_("Members"),
    label=N_("Members"),
    cells="tables/members.html",
    columns=(_EMAIL, _ROLE, _SECOND_FACTOR, Column("last_seen", N_("Last seen"), "number"), _ADDED),
)
"""Without a search: teams are small."""

MEMBERS_TABLE = Table(
    title=N_("Members"),
    label=N_("List of members"),
    search=N_("Search by name, e-mail or organisation"),
    filters={"operator": N_("Operator"), "distributor": N_("Distributors"), "partner": N_("Partners")},
    no_match=N_("No matching members"),
    cells="tables/members.html",
    columns=(
        _EMAIL,
        Column("organisation", N_("Organisation"), "words", sort="organisation"),
        _ROLE,
        _SECOND_FACTOR,
        Column("last_seen", N_("Last seen"), "number optional", sort="seen"),
        _ADDED,
    ),
)
