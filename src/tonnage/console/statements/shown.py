"""A statement as its pages show it: the texts of its paper, in the reader's language and numbers.

It is made from the statement's JSON, as the paper is, so that a draft and a frozen statement are shown alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from gettext import NullTranslations
from typing import Any
from uuid import UUID

from tonnage.access.actor import Role
from tonnage.billing.month import last_day_of
from tonnage.billing_profiles.billing_profile import BillingProfile
from tonnage.billing_profiles.settings import INVOICE
from tonnage.console.page_request import PageRequest
from tonnage.console.rendering import gettext
from tonnage.console.statements.paths import begins_with_sold, list_path, month_path, path_of
from tonnage.documents import texts
from tonnage.documents.line_texts import line_texts, percent
from tonnage.documents.party import address
from tonnage.money import Money
from tonnage.statements.frozen import CREDIT_NOTE
from tonnage.wording.catalogue import DOCUMENTS, language_of, translations_of

LINES_AT_ONCE = 100
"""Of a contract with many partners: 100 take 30 ms to write in the reader's numbers."""

_UNPAID = frozenset({"frozen", "issued", "overdue"})
"""The states of what is to be paid."""


def first_shown(text: str, count: int) -> int:
    """How many of `count` lines are before those of the page that has the line of that number; any other text is the
    first page."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1
    return (min(max(number, 1), max(count, 1)) - 1) // LINES_AT_ONCE * LINES_AT_ONCE


@dataclass(frozen=True)
class ShownStatement:
    """A statement, and its reader."""

    page: PageRequest
    document: Mapping[str, Any]
    """The statement as JSON."""

    @property
    def id(self) -> str:
        """Of a frozen statement or a draft."""
        return str(self.document["id"])

    @property
    def path(self) -> str:
        """Of its page."""
        return path_of(self.id)

    @property
    def state(self) -> str:
        """`draft`, `frozen`, `issued`, `overdue`, `paid`, `credited`, `void`."""
        return str(self.document["state"])

    @property
    def is_draft(self) -> bool:
        """Whether it can still change."""
        return self.state == "draft"

    @property
    def first(self) -> date:
        """The first day of its month."""
        return date.fromisoformat(f"{self.document['month']}-01")

    @property
    def last(self) -> date:
        """The last day that it counts."""
        through = self.document.get("through")
        return date.fromisoformat(through) if through else last_day_of(self.first)

    @property
    def number(self) -> str:
        """Of a draft in words."""
        month = self.page.formats.month(self.first)
        return str(self.document["number"] or gettext("Draft of %(month)s") % {"month": month})

    @property
    def title(self) -> str:
        """What it is, and its number."""
        if self.is_draft:
            return self.number
        is_invoice = self.document["document"] == INVOICE
        kind = self._words.gettext(texts.kind(self.document["kind"], is_invoice=is_invoice))
        return f"{kind} {self.number}"

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """Down to its month."""
        role = None if self.is_sold == begins_with_sold(self.page.actor.kind) else "seller" if self.is_sold else "buyer"
        month = self.page.formats.month(self.first)
        return [(gettext("Statements"), list_path(role=role)), (month, self.month_path)]

    @property
    def month_path(self) -> str:
        """Of the page of its month."""
        return month_path(self.first)

    @property
    def list_path(self) -> str:
        """Of all statements of its buyer."""
        return list_path(role="seller" if self.is_sold else "buyer", buyer=self.buyer_id)

    @property
    def level_label(self) -> str:
        """What its buyer is."""
        level = self.document["level"]
        return {"contract": gettext("Contract"), "partner": gettext("Partner")}.get(level, gettext("Customer"))

    @property
    def is_sold(self) -> bool:
        """Whether the reader is its seller."""
        return self.document["seller"] == str(self.page.actor.organisation_id)

    @property
    def buyer_id(self) -> UUID | int:
        """A contract, a partner or a storage account."""
        buyer = str(self.document["buyer"])
        return int(buyer) if self.document["level"] == "account" else UUID(buyer)

    @property
    def parties(self) -> list[tuple[str, list[str], str]]:
        """The seller and the buyer: what each is, its address in lines, and its VAT id."""
        roles = [(gettext("Seller"), self._party("seller")), (gettext("Buyer"), self._party("buyer"))]
        return [(label, address(party, self._language), party.vat_id) for label, party in roles]

    @property
    def frozen_at(self) -> datetime | None:
        """When it got its number."""
        given = self.document.get("frozenAt")
        return datetime.fromisoformat(given) if given else None

    @property
    def issued_at(self) -> datetime | None:
        """When it was mailed to its buyer."""
        given = self.document.get("issuedAt")
        return datetime.fromisoformat(given) if given else None

    @property
    def mail_refusal(self) -> str | None:
        """Why its seller's mail has not reached the buyer."""
        if not self.is_sold:
            return None
        match self.document.get("mailRefused"):
            case "no_address":
                return gettext("Not mailed: the buyer's billing profile has no e-mail for statements.")
            case "rejected":
                return gettext("Not mailed: the mail server does not accept the buyer's e-mail address.")
            case "failed":
                return gettext("Not mailed: the mail could not be made. The operator's log says why.")
            case _:
                return None

    def day(self, name: str) -> date | None:
        """A day of the document by its name, such as `dueOn`."""
        given = self.document.get(name)
        return date.fromisoformat(given) if given else None

    def lines(self, numbers: slice) -> list[dict[str, Any]]:
        """The texts of those lines, each with the path of its working."""
        return [self.line(line) for line in self.document["lines"][numbers]]

    def line(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """The texts of a line."""
        formats = self.page.formats
        shown = line_texts(
            {"subjectName": self.document["buyerName"], **line}, self.currency, formats, formats.day, self._words
        )
        return {**shown, "path": self._working_path(line)}

    def _working_path(self, line: Mapping[str, Any]) -> str | None:
        """Of a credit note: that of the line that is taken back."""
        if not self.is_credit_note:
            return f"{self.path}/lines/{line['no']}"
        taken = line.get("creditedLine")
        return f"{path_of(self.document['original'])}/lines/{taken}" if taken else None

    @property
    def is_credit_note(self) -> bool:
        """Whether it takes another statement back."""
        return self.document.get("kind") == CREDIT_NOTE

    @property
    def may_be_credited(self) -> bool:
        """Whether its seller can take something back, as far as the statement itself says."""
        whole = self.gross.amount > 0 and self.state not in {"draft", "void", "credited"}
        return self.is_sold and self.page.actor.role is Role.ADMIN and whole and self.owed.amount > 0

    @property
    def may_be_paid(self) -> bool:
        """Whether its seller can mark it as paid."""
        return self.is_sold and self.page.actor.role is Role.ADMIN and self.state in _UNPAID

    @property
    def may_be_void(self) -> bool:
        """Whether its seller can make it void, likewise."""
        return self.may_be_credited and self.state in _UNPAID and not self.document.get("credited")

    @property
    def owed(self) -> Money:
        """The total, less what credit notes have taken back."""
        credited = self.document.get("credited")
        return self.gross - self.money(credited) if credited else self.gross

    @property
    def voided_at(self) -> datetime | None:
        """When it became void."""
        given = self.document.get("voidedAt")
        return datetime.fromisoformat(given) if given else None

    @property
    def currency(self) -> str:
        """Of all amounts."""
        return str(self.document["currency"])

    def money(self, amount: str) -> Money:
        """An amount of the document."""
        return Money(Decimal(amount), self.currency)

    @property
    def totals(self) -> list[tuple[str, Money]]:
        """Between the lines and the sum: the net amount, and each tax; none where there is no tax."""
        if not self.document["taxes"]:
            return []
        rows = [(gettext("Net"), self.money(self.document["net"]))]
        name = self._words.gettext(texts.tax_name(self._party("seller")))
        for tax in self.document["taxes"]:
            label = gettext("%(tax)s %(percent)s (%(category)s) on %(base)s") % {
                "tax": name,
                "percent": percent(Decimal(tax["rate"]), self.page.formats),
                "category": tax["category"],
                "base": self.page.formats.exact_money(self.money(tax["base"])),
            }
            rows.append((label, self.money(tax["amount"])))
        return rows

    @property
    def gross(self) -> Money:
        """With taxes."""
        return self.money(self.document["gross"])

    @property
    def notes(self) -> Sequence[str]:
        """Why there is no tax."""
        seller = self._party("seller")
        found = [texts.tax_note(tax["category"], seller, self._words) for tax in self.document["taxes"]]
        return list(dict.fromkeys(filter(None, found)))

    @property
    def warning(self) -> str | None:
        """What its seller should know."""
        if self.is_sold and self.document.get("taxWarning") == "buyer_without_vat_id":
            return gettext("The buyer is in another member state and has no VAT id: it is taxed as at home.")
        return None

    def _party(self, role: str) -> BillingProfile:
        parties: Mapping[str, Any] = self.document.get("parties") or {}
        return BillingProfile.of(parties.get(role) or {"legalName": self.document[f"{role}Name"]})

    @property
    def _language(self) -> str:
        return language_of(self.page.language, DOCUMENTS)

    @cached_property
    def _words(self) -> NullTranslations:
        """Products and notes are called as on paper."""
        return translations_of(self._language, DOCUMENTS)
