"""Contracts, for their distributor and for the operator. The rows are `partners.contract_lists.ContractRow`."""

from tonnage.access.actor import Kind
from tonnage.console.rendering import day, size
from tonnage.console.tables.table import Column, Table
from tonnage.wording.catalogue import N_

CONTRACTS_TABLE = Table(
    title=N_("Contracts"),
    label=N_("List of contracts"),
    search=N_("Search by name"),
    filters={"full": N_("Nearly allocated")},
    no_match=N_("No matching contracts"),
    file_name="contracts.csv",
    cells="tables/contracts.html",
    columns=(
        Column("details", N_("Name"), sort="name", file=N_("Name")),
        Column("distributor", file=N_("Distributor"), only=Kind.OPERATOR),
        Column("reserved", N_("Reserved"), "number optional", show=size, sort="reserved", file=N_("Reserved bytes")),
        Column("allocated", file=N_("Allocated bytes")),
        Column("remaining", N_("Remaining"), "number", show=size, file=N_("Remaining bytes")),
        Column("load", N_("Allocated of reserved"), "load-cell", sort="allocated"),
        Column("used", N_("Used now"), "number optional", show=size, sort="used", file=N_("Used bytes")),
        Column("full_by", N_("Full by"), "number optional", sort="full", file=N_("Full by"), needs_values=True),
        Column("partners", N_("Partners"), "number optional", file=N_("Partners")),
        Column("price_cents", N_("Excess / GB-month"), "number optional", sort="price", file=N_("Cents per GB-month")),
        Column("currency", file=N_("Currency")),
        Column("fee", N_("Fee %(month)s"), "number", sort="fee"),
        Column("net", file=N_("Fee %(month)s")),
        Column("created_at", N_("Signed"), "number optional", show=day, sort="created", file=N_("Created")),
        Column("id", file=N_("ID")),
    ),
)
