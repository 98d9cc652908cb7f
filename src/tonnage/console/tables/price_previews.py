"""What buyers would be charged under a version of a price book. The rows are `price_preview.BuyerPreview`."""

from tonnage.console.tables.table import Column, Table
from tonnage.wording.catalogue import N_

PREVIEW_TABLE = Table(
    title=N_("Buyers"),
    label=N_("What buyers would be charged"),
    search=N_("Search by name"),
    no_match=N_("No matching buyers"),
    cells="tables/price_previews.html",
    columns=(
        Column("name", N_("Buyer"), sort="name"),
        Column("now", N_("Now"), "number", sort="now"),
        Column("then", N_("With these prices"), "number optional"),
        Column("difference", N_("Difference"), "number"),
    ),
)
