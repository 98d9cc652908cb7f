"""What documents say besides the statement's own words, in the seller's language."""

from gettext import NullTranslations

from tonnage.billing_profiles.billing_profile import BillingProfile
from tonnage.billing_profiles.countries import EU, tax_territory
from tonnage.billing_profiles.tax import TaxCategory
from tonnage.wording.catalogue import N_

PRODUCTS = {
    "reserved": N_("Reserved capacity"),
    "excess": N_("Excess"),
    "pay_per_use": N_("Pay-per-use"),
    "egress": N_("Outgoing traffic"),
    "capacity_minimum": N_("Minimum capacity"),
    "discount": N_("Discount"),
    "minimum_charge": N_("Minimum charge"),
    "adjustment": N_("Adjustment"),
}
"""By their names in JSON."""

MINIMUMS = {
    "account": N_("Minimum {gb} GB for each storage account"),
    "partner": N_("Minimum {gb} GB for each partner"),
    "contract": N_("Minimum {gb} GB in all"),
}
"""The minimum of pay-per-use, by whose use is compared with it."""

_NO_INVOICE = N_(
    "This statement is no invoice: it is for information, and does not entitle anybody to deduct tax. The invoice is "
    "issued separately."
)
_DRAFT = N_("This is a draft and no document: it shows the month as it is known now, and can still change.")


def kind(statement_kind: str, *, is_invoice: bool) -> str:
    """The title of a document."""
    if statement_kind == "credit_note":
        return N_("Credit note") if is_invoice else N_("Credit statement")
    return N_("Invoice") if is_invoice else N_("Statement")


def notices(*, is_draft: bool, is_invoice: bool) -> list[str]:
    """What a reader must know before the lines."""
    if is_draft:
        return [_DRAFT]
    return [] if is_invoice else [_NO_INVOICE]


def tax_name(seller: BillingProfile) -> str:
    """What the tax of a sale is called."""
    return N_("VAT") if tax_territory(seller.country) in EU else N_("Tax")


def tax_note(category: str, seller: BillingProfile, words: NullTranslations) -> str:
    """Why there is no tax (EN 16931, BT-120); "" where there is some."""
    gettext, in_union = words.gettext, tax_territory(seller.country) in EU
    match category:
        case TaxCategory.REVERSE_CHARGE:
            note = gettext("Reverse charge: the recipient owes the tax (Directive 2006/112/EC, articles 44 and 196).")
        case TaxCategory.EXEMPT if seller.country == "DE":
            note = gettext("Exempt from VAT as a small business (section 19 of the German VAT act).")
        case TaxCategory.EXEMPT if in_union:
            note = gettext("Exempt from VAT as a small business (Directive 2006/112/EC, article 284).")
        case TaxCategory.EXEMPT:
            note = gettext("Exempt from tax as a small business.")
        case TaxCategory.OUTSIDE_SCOPE if in_union:
            note = gettext("Outside the scope of VAT: supplied where the buyer is (Directive 2006/112/EC, article 44).")
        case TaxCategory.OUTSIDE_SCOPE:
            note = gettext("Outside the scope of tax: supplied where the buyer is.")
        case _:
            note = ""
    return note
