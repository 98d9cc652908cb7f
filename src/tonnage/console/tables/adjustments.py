"""Adjustments, for their seller and their buyer. The rows are `statements.adjustment_lists.AdjustmentRow`."""

from dataclasses import replace

from tonnage.access.actor import Kind
from tonnage.console.rendering import day
from tonnage.console.tables.table import Column, Table
from tonnage.wording.catalogue import N_

_REST = (
    Column("month_text", file=N_("Month")),
    Column("reason", file=N_("Reason")),
    Column("created_at", N_("Made"), "optional", show=day, file=N_("Made")),
    Column("amount", N_("Amount"), "number", file=N_("Amount")),
    Column("remaining", N_("For the next statement"), "number", file=N_("For the next statement")),
    Column("currency", file=N_("Currency")),
    Column("id", file=N_("ID")),
)

SOLD_TABLE = Table(
    title=N_("Adjustments"),
    label=N_("List of adjustments"),
    no_match=N_("No matching adjustments"),
    file_name="adjustments.csv",
    cells="tables/adjustments.html",
    columns=(Column("buyer", N_("Buyer, reason"), file=N_("Buyer")), *_REST),
)
BOUGHT_TABLE = replace(
    SOLD_TABLE,
    columns=(
        Column("buyer", N_("Contract, reason"), file=N_("Contract"), only=Kind.DISTRIBUTOR),
        Column("seller", N_("Seller, reason"), only=Kind.PARTNER),
        Column("seller", file=N_("Seller")),
        *_REST,
    ),
)
