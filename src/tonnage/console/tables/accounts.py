"""Storage accounts, for their partner, its distributor and the operator. The rows are `accounts.lists.AccountRow`."""

from dataclasses import replace

from tonnage.access.actor import Kind
from tonnage.console.rendering import day, size
from tonnage.console.tables.table import Column, Table
from tonnage.wording.catalogue import N_

ACCOUNTS_TABLE = Table(
    title=N_("Storage accounts"),
    label=N_("List of storage accounts"),
    search=N_("Search by company, e-mail or number"),
    filters={
        "pay-per-use": N_("Pay-per-use"),
        "near": N_("Near full"),
        "over": N_("Over"),
        "deletion": N_("Scheduled for deletion"),
        "suspended": N_("Suspended"),
    },
    no_match=N_("No matching storage accounts"),
    file_name="storage-accounts.csv",
    cells="tables/accounts.html",
    columns=(
        Column("name", N_("Company"), sort="name", file=N_("Company")),
        Column("contact_email", file=N_("Contact e-mail")),
        Column("id", N_("Number, region"), "optional", file=N_("Number")),
        Column("partner", file=N_("Partner"), only=Kind.OPERATOR),
        Column("distributor", file=N_("Distributor"), only=Kind.OPERATOR),
        Column("allocated", N_("Allocation"), "number optional", sort="allocated", file=N_("Allocated bytes")),
        Column("overdraft", file=N_("Overdraft")),
        Column("used", N_("Used now"), "number", show=size, sort="used", file=N_("Used bytes")),
        Column("load", N_("Load"), "load-cell", sort="load"),
        Column("full_by", N_("Full by"), "number optional", sort="full", file=N_("Full by"), needs_values=True),
        Column("objects", N_("Objects"), "number optional", sort="objects", file=N_("Objects"), needs_values=True),
        Column("fee", N_("Fee %(month)s"), "number", sort="fee", only=Kind.PARTNER, needs_values=True),
        Column("net", file=N_("Fee %(month)s"), only=Kind.PARTNER),
        Column("fee_currency", file=N_("Currency"), only=Kind.PARTNER),
        Column("region", file=N_("Region")),
        Column("created_at", N_("Created"), "number optional", show=day, sort="created", file=N_("Created")),
        Column("pending_deleted_at", file=N_("Deletion date")),
        Column("is_closed", file=N_("Suspended")),
        Column("state", file=N_("State")),
        Column("state_cause", file=N_("Cause")),
        Column("provisioning", file=N_("Storage cluster")),
    ),
)

OWN_ACCOUNTS_TABLE = replace(ACCOUNTS_TABLE, filters={**ACCOUNTS_TABLE.filters, "charged": N_("With a fee")})
"""For their partner."""
