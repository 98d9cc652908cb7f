"""Blocks of sign-ins. The rows are `blocks.block.Block`."""

from dataclasses import replace

from tonnage.console.rendering import number
from tonnage.console.tables.table import Column, Table
from tonnage.wording.catalogue import N_

BLOCKS_TABLE = Table(
    title=N_("Blocked sign-ins"),
    label=N_("List of blocks"),
    search=N_("Search by member, organisation or network"),
    filters={"members": N_("Of members"), "clients": N_("Of clients")},
    no_match=N_("No matching blocks"),
    cells="tables/blocks.html",
    columns=(
        Column("email", N_("Member"), sort="member"),
        Column("kind", N_("Blocked"), "words"),
        Column("failures", N_("Failed attempts"), "number optional", show=number, sort="failures"),
        Column("since", N_("Since"), "number optional", sort="since"),
        Column("until", N_("Until"), "number", sort="until"),
        Column("id", N_("Actions"), "tools"),
    ),
)
MEMBER_BLOCKS_TABLE = replace(BLOCKS_TABLE, search=N_("Search by member or organisation"), filters={})
"""For those who see only the blocks of members."""
