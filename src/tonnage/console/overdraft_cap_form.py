"""The form of a cap of overdraft, of a storage account or of a partner."""

from collections.abc import Mapping
from typing import Literal

from tonnage.console.page_request import PageRequest
from tonnage.console.rendering import gettext
from tonnage.errors import Invalid
from tonnage.overdraft_caps.overdraft_cap import NewCap
from tonnage.partners.partner import OverdraftCap
from tonnage.units import bytes_of
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.number_fields import UNITS, OptionalNumber, typed_size
from tonnage.web.number_text import written

FIELDS: Mapping[str, str] = dict.fromkeys(("percent", "capacity", "amount"), "limit")
"""Where the form has what an action refuses."""

_PRESENT = "present"
"""The hidden field with the cap that was shown; empty: there was none."""


class OverdraftCapForm(Form):
    """A number and its unit."""

    unit: Literal["none", "percent", "money", "PB", "TB", "GB", "MB", "B"]
    limit: OptionalNumber = None

    @property
    def cap(self) -> NewCap | None:
        """As actions take it; None: no cap. Invalid: there is no number, or it does not fit the unit."""
        if self.unit == "none":
            return None
        if self.limit is None:
            raise Invalid.field("limit", "is required")
        if self.unit == "money":
            return NewCap(amount=self.limit)
        if self.unit == "percent":
            if self.limit != int(self.limit):
                raise Invalid.field("limit", "must be a whole number")
            return NewCap(percent=int(self.limit))
        capacity = bytes_of(self.limit, self.unit)
        if capacity is None:
            raise Invalid.field("limit", "is not a whole number of bytes: write fewer decimals")
        return NewCap(capacity=capacity)


def bound(page: PageRequest) -> BoundForm[OverdraftCapForm]:
    """As it was submitted."""
    return bind(OverdraftCapForm, page.fields, page.formats.number_format)


def filled(page: PageRequest, cap: OverdraftCap | None) -> BoundForm[OverdraftCapForm]:
    """With the cap that there is, or empty."""
    reader = page.formats.number_format
    if cap is None:
        return unbound(OverdraftCapForm, unit="percent")
    if cap.percent is not None:
        return unbound(OverdraftCapForm, unit="percent", limit=str(cap.percent))
    if cap.amount is not None:
        return unbound(OverdraftCapForm, unit="money", limit=written(cap.amount.amount, reader))
    raw = typed_size("limit", cap.allows or 0, reader)
    return unbound(OverdraftCapForm, unit=raw["limit_unit"], limit=raw["limit"])


def units(*, pay_per_use: bool) -> list[tuple[str, str]]:
    """The values of the field `unit` that can be chosen, and what they are called."""
    found = [] if pay_per_use else [("percent", gettext("Percent of the allocation"))]
    return [*found, ("money", gettext("Money a month")), *((unit, unit) for unit in UNITS), ("none", gettext("No cap"))]


def seen(page: PageRequest) -> str:
    """The cap that the page has shown, or "": what an action expects. It is outdated without the field."""
    return page.fields.get(_PRESENT, "-")
