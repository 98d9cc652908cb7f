"""What keeps statements from being frozen, in words, with links to where it is mended."""

from collections.abc import Sequence
from dataclasses import dataclass

from tonnage.access.actor import Kind
from tonnage.console.page_request import PageRequest
from tonnage.console.rendering import gettext
from tonnage.console.statements.paths import prices_path
from tonnage.month_end.freezing import BlockedBuyer, BlockedGroup


@dataclass(frozen=True)
class ShownBlocked:
    """The buyers with one reason."""

    why: str
    mend: tuple[str, str] | None
    """A label and a path, if it is mended once for all of them."""
    count: int
    buyers: Sequence[tuple[str, str | None]]
    """The names of the first ones, each with a path if it is mended there."""


def shown_blocked(page: PageRequest, group: BlockedGroup) -> ShownBlocked:
    """A group with what mends it."""
    kind = page.actor.kind
    why, mend = why_blocked(group.reason)
    path_of = _PATHS.get(group.reason, _nowhere)
    return ShownBlocked(why, mend, group.count, [(one.name, path_of(kind, one)) for one in group.buyers])


def why_blocked(reason: str) -> tuple[str, tuple[str, str] | None]:
    """A reason in words, and a label and a path, if it is mended once for all buyers. One of a newer program is shown
    by its name."""
    profile = gettext("Your billing profile"), "/billing-profile"
    match reason:
        case "seller_without_profile":
            return gettext("Your billing profile has no name and address."), profile
        case "seller_without_vat_id":
            return gettext("The buyer owes the tax, and your billing profile has no VAT id."), profile
        case "no_tax_rate":
            return gettext("You have no tax rate for this month."), (gettext("Tax rates"), "/tax-rates")
        case "buyer_without_address":
            return gettext("The buyer's billing profile has no name and address."), None
        case "other_currency":
            return gettext("The buyer's prices in this month are in several currencies."), None
        case _:
            return reason, None


def _nowhere(kind: Kind, buyer: BlockedBuyer) -> str | None:
    del kind, buyer
    return None


def _profile_path(kind: Kind, buyer: BlockedBuyer) -> str | None:
    match kind:
        case Kind.OPERATOR:
            return f"/operator/distributors/{buyer.organisation_id}/billing-profile"
        case Kind.DISTRIBUTOR:
            return f"/distributor/partners/{buyer.organisation_id}/billing-profile"
        case Kind.PARTNER:
            return f"/partner/accounts/{buyer.id}/billing-profile"


def _prices_path(kind: Kind, buyer: BlockedBuyer) -> str | None:
    return prices_path(kind, buyer.id)


_PATHS = {"buyer_without_address": _profile_path, "other_currency": _prices_path}
"""Where a reason is mended for each buyer."""
