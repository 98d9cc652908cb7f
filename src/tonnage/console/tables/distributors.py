"""Distributors, for the operator. The rows are `partners.distributor_lists.DistributorRow`."""

from tonnage.console.rendering import day, number, size
from tonnage.console.tables.table import Column, Table
from tonnage.wording.catalogue import N_

DISTRIBUTORS_TABLE = Table(
    title=N_("Distributors"),
    label=N_("List of distributors"),
    search=N_("Search by name"),
    filters={"closed": N_("Closed")},
    unfiltered=N_("Open"),
    no_match=N_("No matching distributors"),
    file_name="distributors.csv",
    cells="tables/distributors.html",
    columns=(
        Column("name", N_("Name"), sort="name", file=N_("Name")),
        Column("contracts", N_("Contracts"), "number optional", show=number, sort="contracts", file=N_("Contracts")),
        Column("partners", N_("Partners"), "number optional", show=number, sort="partners", file=N_("Partners")),
        Column("reserved", N_("Reserved"), "number optional", show=size, sort="reserved", file=N_("Reserved bytes")),
        Column(
            "allocated", N_("Allocated"), "number optional", show=size, sort="allocated", file=N_("Allocated bytes")
        ),
        Column("used", N_("Used now"), "number", show=size, sort="used", file=N_("Used bytes")),
        Column("load", N_("Used of allocated"), "load-cell optional"),
        Column("fee", N_("Fee %(month)s"), "number", sort="fee"),
        Column("net", file=N_("Fee %(month)s")),
        Column("fee_currency", file=N_("Currency")),
        Column("other_fees", file=N_("Fees in other currencies")),
        Column("created_at", N_("Created"), "number optional", show=day, sort="created", file=N_("Created")),
        Column("closed_at", N_("Closed"), "number", show=day, file=N_("Closed"), needs_values=True),
        Column("id", file=N_("ID")),
    ),
)
