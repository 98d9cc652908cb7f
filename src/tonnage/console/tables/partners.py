"""Partners, for their distributor and for the operator. The rows are `partners.lists.PartnerRow`."""

from dataclasses import replace

from tonnage.access.actor import Kind
from tonnage.console.rendering import day, number, size
from tonnage.console.tables.table import Column, Table
from tonnage.wording.catalogue import N_

PARTNERS_TABLE = Table(
    title=N_("Partners"),
    label=N_("List of partners"),
    search=N_("Search by name"),
    filters={
        "pay-per-use": N_("Pay-per-use"),
        "near": N_("Near full"),
        "over": N_("Over"),
        "suspended": N_("Suspended"),
    },
    no_match=N_("No matching partners"),
    file_name="partners.csv",
    cells="tables/partners.html",
    columns=(
        Column("name", N_("Name"), sort="name", file=N_("Name")),
        Column("distributor", file=N_("Distributor"), only=Kind.OPERATOR),
        Column("contract", file=N_("Contract")),
        Column("allocated", N_("Allocation"), "number optional", sort="allocated", file=N_("Allocated bytes")),
        Column("allocated_to_accounts", file=N_("Bytes allocated to accounts"), only=Kind.OPERATOR),
        Column("used", N_("Used now"), "number", show=size, sort="used", file=N_("Used bytes")),
        Column("load", N_("Load"), "load-cell", sort="load"),
        Column("full_by", N_("Full by"), "number optional", sort="full", file=N_("Full by"), needs_values=True),
        Column(
            "accounts", N_("Accounts"), "number optional", show=number, sort="accounts", file=N_("Storage accounts")
        ),
        Column("fee", N_("Fee %(month)s"), "number", sort="fee", only=Kind.DISTRIBUTOR, needs_values=True),
        Column("net", file=N_("Fee %(month)s"), only=Kind.DISTRIBUTOR),
        Column("fee_currency", file=N_("Currency"), only=Kind.DISTRIBUTOR),
        Column("contract", N_("Contract"), "optional words", only=Kind.OPERATOR),
        Column("trend", N_("30 days"), "optional", only=Kind.DISTRIBUTOR),
        Column("created_at", N_("Created"), "number optional", show=day, sort="created", file=N_("Created")),
        Column("suspended_at", file=N_("Suspended since")),
        Column("id", file=N_("ID")),
    ),
)

OWN_PARTNERS_TABLE = replace(PARTNERS_TABLE, filters={**PARTNERS_TABLE.filters, "charged": N_("With a fee")})
"""For their distributor."""
