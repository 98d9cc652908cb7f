"""A statement as the texts of its paper: every number, date and word as its readers see it.

The statement is its JSON. A template only lays these texts out; it never computes, and no total is made here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from gettext import NullTranslations
from typing import Any

from tonnage.billing.month import last_day_of
from tonnage.billing_profiles.billing_profile import BillingProfile
from tonnage.billing_profiles.settings import INVOICE, SellerSettings
from tonnage.billing_profiles.tax import TaxCategory
from tonnage.documents import texts
from tonnage.documents.line_texts import line_texts, percent
from tonnage.documents.party import address, address_line, in_groups
from tonnage.money import Money
from tonnage.wording.catalogue import DOCUMENTS, language_of, translations_of
from tonnage.wording.formatting import Formats

_DEFAULTS = SellerSettings()


@dataclass(frozen=True)
class Paper:
    """A frozen statement, or a draft, which has no number."""

    statement: Mapping[str, Any]

    @property
    def day(self) -> date:
        """Of the document; of a draft the last day that it counts."""
        frozen_on = self.statement.get("frozenOn")
        return date.fromisoformat(frozen_on) if frozen_on else self._last

    @property
    def logo(self) -> str:
        """A PNG in base64, or ""."""
        return self._design.get("logo") or ""

    def texts(self) -> dict[str, Any]:
        """What the template shows."""
        gettext = self._words.gettext
        kind = self._kind_name
        number = gettext("Draft") if self._is_draft else str(self.statement["number"])
        seller = self._seller
        notes = [texts.tax_note(tax["category"], seller, self._words) for tax in self._taxes]
        return {
            "lang": self._language,
            "region": self._formats.babel.territory,
            "colour": self._design.get("colour") or _DEFAULTS.colour,
            "kind": kind,
            "title": f"{kind} {number}",
            "watermark": number if self._is_draft else None,
            "seller": seller.legal_name,
            "sender": address_line(seller, self._language),
            "recipient": address(self._buyer, self._language),
            "facts": self._facts(number),
            "notices": [gettext(one) for one in texts.notices(is_draft=self._is_draft, is_invoice=self._is_invoice)],
            "head": ["", gettext("Description"), gettext("Quantity"), gettext("Unit price"), gettext("Amount")],
            "lines": self._lines(),
            "totals": self._totals(),
            "total": [gettext("Total"), self._money(self.statement["gross"])],
            "notes": list(dict.fromkeys(filter(None, notes))),
            "pay": gettext("Payment"),
            "payment": self._payment(),
            "footer": self._footer(),
            "page": gettext("Page {page} of {pages}"),
        }

    def mail(self, link: str | None) -> tuple[str, str]:
        """The subject and the text of the mail that brings it. `link`: to its page, for readers who can sign in."""
        gettext, due = self._words.gettext, self.statement.get("dueOn")
        subject = gettext("{kind} {number} for {month}").format(
            kind=self._kind_name, number=self.statement["number"], month=self._own_formats.month(self._first)
        )
        facts = [
            (gettext("Seller"), self._seller.legal_name),
            (gettext("Service period"), f"{self._day(self._first)} – {self._day(self._last)}"),
            (gettext("Total"), self._money(self.statement["gross"])),
            (gettext("Due"), self._day(date.fromisoformat(due)) if due else ""),
        ]
        paragraphs = [
            gettext("{subject} is attached.").format(subject=subject),
            "\n".join(f"{label}: {text}" for label, text in facts if text),
            *(gettext(one) for one in texts.notices(is_draft=False, is_invoice=self._is_invoice)),
            *([gettext("Every line with its days: {link}").format(link=link)] if link else []),
        ]
        return f"{self._seller.legal_name}: {subject}", "\n\n".join(paragraphs) + "\n"

    def _facts(self, number: str) -> list[tuple[str, str]]:
        gettext, day = self._words.gettext, self._day
        seller, buyer, given = self._seller, self._buyer, self.statement
        # Where the buyer owes the tax, its note on the paper says nothing without both ids.
        is_reverse_charge = any(tax["category"] == TaxCategory.REVERSE_CHARGE for tax in given["taxes"])
        vat_ids = [(gettext("Our VAT id"), seller.vat_id), (gettext("Your VAT id"), buyer.vat_id)]
        named = given["buyerName"] if given["buyerName"] != buyer.legal_name else ""
        found = [
            (gettext("Number"), number),
            (gettext("Corrects"), given.get("originalNumber") or ""),
            (gettext("Reason"), given.get("reason") or ""),
            (gettext("Date"), day(date.fromisoformat(given["frozenOn"])) if given.get("frozenOn") else ""),
            (gettext("Service period"), f"{day(self._first)} – {day(self._last)}"),
            (gettext("Due"), day(date.fromisoformat(given["dueOn"])) if given.get("dueOn") else ""),
            (gettext("Contract") if given["level"] == "contract" else gettext("Customer"), named),
            (gettext("Your reference"), buyer.buyer_reference),
            *(vat_ids if self._is_invoice or is_reverse_charge else []),
            *([(gettext("Our tax number"), seller.tax_number)] if self._is_invoice else []),
        ]
        return [(label, text) for label, text in found if text]

    def _lines(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        subject: object = None
        for line in self.statement["lines"]:
            given = {"subjectName": self.statement["buyerName"], **line}
            shown = line_texts(given, self.statement["currency"], self._formats, self._day, self._words)
            found.append({**shown, "begins": line.get("subject") != subject})
            subject = line.get("subject")
        return found

    def _totals(self) -> list[tuple[str, str]]:
        gettext, tax_name = self._words.gettext, self._words.gettext(texts.tax_name(self._seller))
        rows = [(gettext("Net"), self._money(self.statement["net"]))]
        for tax in self._taxes:
            on = gettext("{tax} {percent} ({category}) on {base}").format(
                tax=tax_name,
                percent=percent(Decimal(tax["rate"]), self._formats),
                category=tax["category"],
                base=self._money(tax["base"]),
            )
            rows.append((on, self._money(tax["amount"])))
        return rows

    def _payment(self) -> list[tuple[str, str]]:
        gettext, seller = self._words.gettext, self._seller
        if not self._is_invoice or self._is_draft:
            return []
        if self._kind == "credit_note" or Decimal(self.statement["gross"]) <= 0:
            return [("", gettext("There is nothing to pay: the amount is credited to you."))]
        due = self.statement.get("dueOn")
        rows = [
            (gettext("Amount"), self._money(self.statement["gross"])),
            (gettext("Due"), self._day(date.fromisoformat(due)) if due else ""),
            (gettext("Account holder"), seller.legal_name if seller.iban else ""),
            ("IBAN", in_groups(seller.iban)),
            ("BIC", seller.bic),
            (gettext("Reference"), str(self.statement["number"])),
        ]
        return [(label, text) for label, text in rows if text]

    def _footer(self) -> list[str]:
        written = str(self._design.get("footer") or "")
        return [address_line(self._seller, self._language), *(written.split("\n") if written else [])]

    def _money(self, amount: str) -> str:
        return self._formats.exact_money(Money(Decimal(amount), self.statement["currency"]))

    def _day(self, day: date) -> str:
        return self._own_formats.day(day)

    @property
    def _own_formats(self) -> Formats:
        # Months have names, which are words: they are in the language of the paper.
        is_own = self._formats.babel.language == self._language
        return self._formats if is_own else Formats(_DEFAULTS.locale, "UTC")

    @property
    def _kind_name(self) -> str:
        return self._words.gettext(texts.kind(self._kind, is_invoice=self._is_invoice))

    @property
    def _kind(self) -> str:
        return self.statement.get("kind") or "statement"

    @property
    def _is_draft(self) -> bool:
        return not self.statement.get("number")

    @property
    def _is_invoice(self) -> bool:
        return self.statement.get("document") == INVOICE

    @property
    def _design(self) -> Mapping[str, Any]:
        return self.statement.get("design") or {}

    @property
    def _taxes(self) -> Sequence[Mapping[str, Any]]:
        return self.statement.get("taxes") or ()

    @cached_property
    def _seller(self) -> BillingProfile:
        return self._party("seller")

    @cached_property
    def _buyer(self) -> BillingProfile:
        return self._party("buyer")

    def _party(self, role: str) -> BillingProfile:
        parties: Mapping[str, Mapping[str, Any]] = self.statement.get("parties") or {}
        return BillingProfile.of(parties.get(role) or {"legalName": self.statement[f"{role}Name"]})

    @cached_property
    def _formats(self) -> Formats:
        return Formats(self._design.get("locale") or _DEFAULTS.locale, "UTC")

    @property
    def _language(self) -> str:
        return language_of(self._formats.locale, DOCUMENTS)

    @cached_property
    def _words(self) -> NullTranslations:
        return translations_of(self._language, DOCUMENTS)

    @property
    def _first(self) -> date:
        return date.fromisoformat(f"{self.statement['month']}-01")

    @property
    def _last(self) -> date:
        through = self.statement.get("through")
        return date.fromisoformat(through) if through else last_day_of(self._first)
