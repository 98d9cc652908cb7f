"""What a line is computed from besides its days, as its page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tonnage.console.rendering import gettext
from tonnage.console.statements.shown import ShownStatement
from tonnage.documents.line_texts import percent


@dataclass(frozen=True)
class ShownBasis:
    """The working of a line, and its statement."""

    shown: ShownStatement
    working: Mapping[str, Any]
    """As JSON."""

    @property
    def facts(self) -> list[tuple[str, str]]:
        """One below the other, each computed from those before it; none of lines that have only days."""
        working = self.working
        if found := working.get("discount"):
            return [
                (gettext("Percentage"), percent(Decimal(found["percent"]), self.shown.page.formats)),
                (gettext("Sum of the lines before it"), self._money(found["base"])),
            ]
        if found := working.get("minimumCharge"):
            return self._minimum_charge(found)
        if found := working.get("capacityMinimum"):
            return self._capacity_minimum(found)
        if found := working.get("band"):
            return self._band(found)
        return []

    @property
    def lines(self) -> Sequence[int]:
        """The numbers of the lines of which it is computed."""
        return [one["no"] for one in self._of_lines.get("lines", ())]

    @property
    def sum(self) -> str:
        """Of these lines."""
        return self._money(self._of_lines["base"])

    @property
    def _of_lines(self) -> Mapping[str, Any]:
        none: Mapping[str, Any] = {}
        return self.working.get("discount") or self.working.get("minimumCharge") or none

    def _minimum_charge(self, found: Mapping[str, Any]) -> list[tuple[str, str]]:
        return [
            (gettext("Minimum a month"), self._money(found["minimum"])),
            (gettext("Days that count"), self._days(found)),
            (gettext("Minimum for these days"), self._money(found["required"])),
            (gettext("Sum of the lines before it"), self._money(found["base"])),
            (gettext("Missing"), self._money(found["difference"])),
        ]

    def _capacity_minimum(self, found: Mapping[str, Any]) -> list[tuple[str, str]]:
        pools = {
            "account": gettext("%(gb)s GB for each storage account"),
            "partner": gettext("%(gb)s GB for each partner"),
            "contract": gettext("%(gb)s GB in all"),
        }
        gb = self._number(found["minimumGb"])
        return [
            (gettext("Minimum a month"), pools.get(found["pool"], "%(gb)s GB") % {"gb": gb}),
            (gettext("Days that count"), self._days(found)),
            (gettext("Minimum for these days"), self._gb_months(found["requiredGbMonths"])),
            (
                gettext("Used, on average of the month"),
                gettext("%(gb)s GB") % {"gb": self._number(found["averageGb"])},
            ),
            (gettext("Missing"), self._gb_months(found["missingGbMonths"])),
        ]

    def _band(self, found: Mapping[str, Any]) -> list[tuple[str, str]]:
        above, up_to = self._number(found["aboveGb"]), found.get("upToGb")
        if up_to is None:
            band = gettext("More than %(above)s GB-months") % {"above": above}
        else:
            band = gettext("More than %(above)s and up to %(most)s GB-months") % {
                "above": above,
                "most": self._number(up_to),
            }
        is_volume = found["mode"] == "volume"
        return [
            (
                gettext("Prices by quantity"),
                gettext("Volume: all at the price of the band that is reached")
                if is_volume
                else gettext("Graduated: each part at the price of its band"),
            ),
            (gettext("Quantity of the month"), self._gb_months(found["totalGbMonths"])),
            (gettext("Band"), band),
        ]

    def _days(self, found: Mapping[str, Any]) -> str:
        days = self.working["daysOfMonth"]
        if not found["prorated"]:
            return gettext("All %(days)s of the month, whether active or not") % {"days": days}
        return gettext("%(active)s of %(days)s") % {"active": found["activeDays"], "days": days}

    def _money(self, amount: str) -> str:
        return self.shown.page.formats.exact_money(self.shown.money(amount))

    def _gb_months(self, quantity: str) -> str:
        return gettext("%(number)s GB-months") % {"number": self._number(quantity)}

    def _number(self, number: str | int) -> str:
        return self.shown.page.formats.number(Decimal(number))
