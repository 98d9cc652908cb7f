"""Contracts, for their distributor and for the operator. The rows are `partners.contract_lists.ContractRow`."""

from tonnage.access.actor import Kind
from tonnage.console.tables.table import Table, TableColumn
from tonnage.console.wording.catalogue import N_

CONTRACTS_TABLE = Table(
    title=N_("Contracts"),
    label=N_("List of contracts"),
    search=N_("Search by name"),
    filters={"full": N_("Nearly allocated")},
    no_match=N_("No contract is like that"),
    file_name="contracts.csv",
    cells="tables/contracts.html",
    columns=(
        TableColumn("details", N_("Name"), sort="name", file=N_("Name")),
        TableColumn("distributor", file=N_("Distributor"), only=Kind.OPERATOR),
        TableColumn("reserved", N_("Reserved"), "number optional", sort="reserved", file=N_("Reserved bytes")),
        TableColumn("allocated", N_("Allocated"), "number optional", sort="allocated", file=N_("Allocated bytes")),
        TableColumn("remaining", N_("Remaining"), "number", file=N_("Remaining bytes")),
        TableColumn("load", N_("Allocated of reserved"), "load-cell"),
        TableColumn("used", N_("Used"), "number optional", sort="used", file=N_("Used bytes")),
        TableColumn("partners", N_("Partners"), "number optional", file=N_("Partners")),
        TableColumn(
            "price_cents", N_("Cents per GB-month"), "number optional", sort="price", file=N_("Cents per GB-month")
        ),
        TableColumn("currency", file=N_("Currency")),
        TableColumn("created_at", N_("Signed"), "number optional", sort="created", file=N_("Created")),
        TableColumn("id", file=N_("Id")),
    ),
)
