"""Distributors, for the operator. The rows are `partners.distributor_lists.DistributorRow`."""

from tonnage.console.tables.table import Table, TableColumn
from tonnage.console.wording.catalogue import N_

DISTRIBUTORS_TABLE = Table(
    title=N_("Distributors"),
    label=N_("List of distributors"),
    search=N_("Search by name"),
    no_match=N_("No distributor is like that"),
    file_name="distributors.csv",
    cells="tables/distributors.html",
    columns=(
        TableColumn("name", N_("Name"), sort="name", file=N_("Name")),
        TableColumn("contracts", N_("Contracts"), "number optional", sort="contracts", file=N_("Contracts")),
        TableColumn("partners", N_("Partners"), "number", sort="partners", file=N_("Partners")),
        TableColumn("reserved", N_("Reserved"), "number", sort="reserved", file=N_("Reserved bytes")),
        TableColumn("allocated", N_("Allocated"), "number optional", sort="allocated", file=N_("Allocated bytes")),
        TableColumn("used", N_("Used"), "number", sort="used", file=N_("Used bytes")),
        TableColumn("load", N_("Used of allocated"), "load-cell optional"),
        TableColumn("created_at", N_("Created"), "number optional", sort="created", file=N_("Created")),
        TableColumn("id", file=N_("Id")),
    ),
)
