"""Partners, for their distributor and for the operator. The rows are `partners.lists.PartnerRow`."""

from tonnage.access.actor import Kind
from tonnage.console.tables.table import Table, TableColumn
from tonnage.console.wording.catalogue import N_

PARTNERS_TABLE = Table(
    title=N_("Partners"),
    label=N_("List of partners"),
    search=N_("Search by name"),
    filters={"pay-per-use": N_("Pay-per-use"), "near": N_("Near full"), "over": N_("Over")},
    no_match=N_("No partner is like that"),
    file_name="partners.csv",
    cells="tables/partners.html",
    columns=(
        TableColumn("name", N_("Name"), sort="name", file=N_("Name")),
        TableColumn("distributor", file=N_("Distributor"), only=Kind.OPERATOR),
        TableColumn("contract", file=N_("Contract")),
        TableColumn("allocated", N_("Allocation"), "number optional", sort="allocated", file=N_("Allocated bytes")),
        TableColumn("allocated_to_accounts", file=N_("Given bytes"), only=Kind.OPERATOR),
        TableColumn("used", N_("Used"), "number", sort="used", file=N_("Used bytes")),
        TableColumn("load", N_("Load"), "load-cell", sort="load"),
        TableColumn("accounts", N_("Accounts"), "number optional", sort="accounts", file=N_("Storage accounts")),
        TableColumn("contract", N_("Contract"), "optional words", only=Kind.OPERATOR),
        TableColumn("trend", N_("30 days"), "optional", only=Kind.DISTRIBUTOR),
        TableColumn("created_at", N_("Created"), "number optional", sort="created", file=N_("Created")),
        TableColumn("id", file=N_("Id")),
    ),
)
