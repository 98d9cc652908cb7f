"""The form of a timed override, of a storage account or of a partner."""

from typing import Any

from tonnage.console.page_request import PageRequest
from tonnage.overrides.override import NewOverride
from tonnage.overrides.queries import PresentOverride
from tonnage.utc import last_day_before
from tonnage.web.forms import BoundForm, Checkbox, Form, bind, unbound
from tonnage.web.number_fields import Size, typed_size
from tonnage.web.schemas import Day, Name

_PRESENT = "present"
"""The hidden field with the id of the override that was shown; empty: there was none."""


class OverrideForm(Form):
    """What is granted."""

    capacity: Size
    until: Day
    reason: Name
    free: Checkbox = False

    @property
    def override(self) -> NewOverride:
        """As actions take it."""
        return NewOverride(self.capacity, self.until, self.reason, self.free)


def bound(page: PageRequest) -> BoundForm[OverrideForm]:
    """As it was submitted."""
    return bind(OverrideForm, page.fields, page.formats.number_format)


def filled(page: PageRequest, present: PresentOverride | None) -> BoundForm[OverrideForm]:
    """With the override that there is, or empty."""
    if present is None:
        return unbound(OverrideForm)
    raw = {
        **typed_size("capacity", present.capacity, page.formats.number_format),
        "until": last_day_before(present.valid_until).isoformat(),
        "reason": present.reason,
        "free": "on" if present.is_free else "",
    }
    return unbound(OverrideForm, **raw)


def seen(page: PageRequest) -> str:
    """The id of the override that the page has shown, or "": what an action expects. It is outdated without the
    field."""
    return page.fields.get(_PRESENT, "-")


def hidden(present: PresentOverride | None) -> dict[str, str]:
    """The hidden field."""
    return {_PRESENT: str(present.id) if present else ""}


def of_page(page: PageRequest, present: PresentOverride | None) -> dict[str, Any]:
    """What the templates need besides the form."""
    return {"override": present, "latest": NewOverride.latest(page.today)}
