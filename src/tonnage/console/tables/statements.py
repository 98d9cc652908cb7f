"""Frozen statements, for their seller and their buyer. The rows are `statements.lists.StatementRow`."""

from dataclasses import replace

from tonnage.access.actor import Kind
from tonnage.console.rendering import day
from tonnage.console.tables.table import Column, Table
from tonnage.wording.catalogue import N_

_NUMBER = Column("number", file=N_("Number"))
_REST = (
    Column("month", N_("Month"), "optional"),
    Column("month_text", file=N_("Month")),
    Column("net", N_("Net"), "number optional", file=N_("Net")),
    Column("gross", N_("Total"), "number", file=N_("Total")),
    Column("currency", file=N_("Currency")),
    Column("frozen_at", file=N_("Frozen")),
    Column("due_on", N_("Due"), "number optional", show=day, file=N_("Due")),
    Column("paid_on", file=N_("Paid")),
    Column("state", N_("State"), file=N_("State")),
    Column("id", file=N_("ID")),
    Column("kind", file=N_("Kind")),
    Column("credited", file=N_("Credited")),
)

SOLD_TABLE = Table(
    title=N_("Statements"),
    label=N_("List of statements"),
    no_match=N_("No matching statements"),
    file_name="statements.csv",
    cells="tables/statements.html",
    columns=(Column("buyer", N_("Buyer, number"), file=N_("Buyer")), _NUMBER, *_REST),
)
BOUGHT_TABLE = replace(
    SOLD_TABLE,
    columns=(
        Column("buyer", N_("Contract, number"), file=N_("Contract"), only=Kind.DISTRIBUTOR),
        Column("seller", N_("Seller, number"), only=Kind.PARTNER),
        Column("seller", file=N_("Seller")),
        _NUMBER,
        *_REST,
    ),
)
