"""The history of terms, of contracts and of partners: what applied from when, and what that changed.

On a narrow screen some columns are left out: the last one says the changes of all. The rows are
`contracts.lists.ContractTerms` and `partners.terms_lists.PartnerTerms`.
"""

from tonnage.console.rendering import size
from tonnage.console.tables.table import Column, Table
from tonnage.wording.catalogue import N_

CONTRACT_TERMS_TABLE = Table(
    title=N_("Terms"),
    label=N_("Terms since the contract was signed"),
    cells="tables/contract_terms.html",
    columns=(
        Column("valid_from", N_("From")),
        Column("reserved", N_("Reserved"), "number", show=size),
        Column("price", N_("Excess price"), "number optional"),
        Column("change", N_("Change"), "words"),
    ),
)

PARTNER_TERMS_TABLE = Table(
    title=N_("Terms"),
    label=N_("Terms since the partner was created"),
    cells="tables/partner_terms.html",
    columns=(
        Column("valid_from", N_("From")),
        Column("contract", N_("Contract"), "words optional"),
        Column("allocated", N_("Allocation"), "number"),
        Column("overdraft", N_("Overdraft"), "optional"),
        Column("change", N_("Change"), "words"),
    ),
)
