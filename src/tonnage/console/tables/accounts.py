"""Storage accounts, for their partner, its distributor and the operator. The rows are `accounts.lists.AccountRow`."""

from tonnage.access.actor import Kind
from tonnage.console.tables.table import Table, TableColumn
from tonnage.console.wording.catalogue import N_

ACCOUNTS_TABLE = Table(
    title=N_("Storage accounts"),
    label=N_("List of storage accounts"),
    search=N_("Search by company, e-mail or number"),
    filters={
        "pay-per-use": N_("Pay-per-use"),
        "near": N_("Near full"),
        "over": N_("Over"),
        "deletion": N_("Waiting for deletion"),
        "suspended": N_("Suspended"),
    },
    no_match=N_("No storage account is like that"),
    file_name="storage-accounts.csv",
    cells="tables/accounts.html",
    columns=(
        TableColumn("name", N_("Company"), sort="name", file=N_("Company")),
        TableColumn("contact_email", file=N_("Contact e-mail")),
        TableColumn("id", N_("Number, region"), "optional", file=N_("Number")),
        TableColumn("partner", file=N_("Partner"), only=Kind.OPERATOR),
        TableColumn("distributor", file=N_("Distributor"), only=Kind.OPERATOR),
        TableColumn("allocated", N_("Allocation"), "number optional", sort="allocated", file=N_("Allocated bytes")),
        TableColumn("overdraft", file=N_("Overdraft")),
        TableColumn("used", N_("Used"), "number", sort="used", file=N_("Used bytes")),
        TableColumn("load", N_("Load"), "load-cell", sort="load"),
        TableColumn("objects", N_("Objects"), "number optional", sort="objects", file=N_("Objects"), needs_values=True),
        TableColumn("region", file=N_("Region")),
        TableColumn("created_at", N_("Created"), "number optional", sort="created", file=N_("Created")),
        TableColumn("pending_deleted_at", file=N_("Deleted on")),
        TableColumn("is_suspended", file=N_("Suspended")),
        TableColumn("provisioning", file=N_("Storage cluster")),
    ),
)
