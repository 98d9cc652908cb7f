"""The page of an adjustment, and the form by which a seller makes one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.billing.buyer import read_buyer_id
from tonnage.console.page_request import AnyAdmin, AnyMember, PageRequest
from tonnage.console.rendering import gettext
from tonnage.console.statements.comparison import Line, Pair, pairs
from tonnage.console.statements.paths import (
    ADJUSTMENTS,
    adjustment_path,
    adjustments_path,
    begins_with_sold,
    draft_path,
    list_path,
    month_path,
    path_of,
)
from tonnage.console.statements.shown import LINES_AT_ONCE, first_shown
from tonnage.documents.line_texts import line_texts
from tonnage.errors import NotFound
from tonnage.money import Money
from tonnage.statements.adjustment import adjustment_id
from tonnage.statements.adjustment_actions import (
    FoundAdjustment,
    adjustable_buyer,
    create_adjustment_once,
    look_at_adjustment,
)
from tonnage.statements.frozen import StoredStatement, own_lines_document
from tonnage.utc import parse_month
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.number_fields import SignedNumber
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Text
from tonnage.wording.catalogue import DOCUMENTS, language_of, translations_of

routes = APIRouter(prefix=ADJUSTMENTS, route_class=AuthFirstRoute, include_in_schema=False)


class AdjustmentForm(Form):
    """What is added to a buyer's next statement, and why."""

    amount: SignedNumber
    reason: Text
    currency: Text | None = None
    """Asked of a buyer without prices."""


@routes.get("/new")
@routes.post("/new")
async def new(page: AnyAdmin) -> Response:
    """Asks for the amount and the reason, then makes the adjustment. Its id is that of the form, so that a form that is
    sent twice makes one. Without a buyer there is nothing to ask: the list says where to begin."""
    given = page.fields.get("buyer") or page.request.query_params.get("buyer", "")
    buyer_id = read_buyer_id(given)
    if buyer_id is None:
        if given or page.request.method == "POST":
            raise NotFound("You do not charge {buyer}.", buyer=given)
        return page.redirect(ADJUSTMENTS)
    buyer, currency = await page.database.run(adjustable_buyer, page.actor, buyer_id, page.business_now)
    new_id = _form_id(page.fields.get("id", ""))
    form: BoundForm[AdjustmentForm] = unbound(AdjustmentForm)
    if page.request.method == "POST":
        form = bind(AdjustmentForm, page.fields, page.formats.number_format)

        async def act(values: AdjustmentForm) -> bool:
            asked = None if currency else (values.currency or "").strip().upper() or None
            amount, reason = f"{values.amount:f}", values.reason
            await page.database.transaction(
                create_adjustment_once, page.actor, new_id, buyer.id, amount, asked, reason, page.business_now
            )
            return True

        if await form.submit(act):
            return page.redirect(adjustment_path(new_id), gettext("Adjustment made"))
    return page.render(
        "statements/new_adjustment.html",
        status=form.status,
        form=form,
        buyer=buyer,
        currency=currency,
        id=new_id,
        cancel=draft_path(buyer.id, page.today),
        crumbs=_crumbs(page, sold=True),
    )


def _form_id(text: str) -> UUID:
    try:
        return adjustment_id(text)
    except NotFound:
        return uuid4()


@routes.get("/{adjustmentID}")
async def show(page: AnyMember, adjustmentID: str) -> Response:
    """Of a month that was computed again with its lines before and after that, as far as they differ."""
    viewer = page.actor.organisation_id
    found = await page.database.run(look_at_adjustment, viewer, adjustment_id(adjustmentID))
    shown = ShownAdjustment(page, found)
    changed = [pair for pair in shown.pairs if pair.is_changed]
    start = first_shown(page.request.query_params.get("from", ""), len(changed))
    return page.render(
        "statements/adjustment.html",
        shown=shown,
        crumbs=_crumbs(page, sold=shown.is_sold),
        count=len(changed),
        start=start,
        rows=[shown.row(pair) for pair in changed[start : start + LINES_AT_ONCE]],
        unchanged=len(shown.pairs) - len(changed),
        page_size=LINES_AT_ONCE,
    )


def _crumbs(page: PageRequest, *, sold: bool) -> list[tuple[str, str]]:
    """Down to the list of its side."""
    role = None if sold == begins_with_sold(page.actor.kind) else "seller" if sold else "buyer"
    return [(gettext("Statements"), list_path(role=role)), (gettext("Adjustments"), adjustments_path(role=role))]


@dataclass(frozen=True)
class ComparedRow:
    """A line as it was and as it is."""

    name: str
    about: Sequence[str]
    """What is charged, and its days; both, where they have changed."""
    before: Mapping[str, Any] | None
    """Its texts; None: there was none. Below likewise."""
    after: Mapping[str, Any] | None
    difference: Money


@dataclass(frozen=True)
class ShownAdjustment:
    """An adjustment, and its reader."""

    page: PageRequest
    found: FoundAdjustment

    @property
    def document(self) -> Mapping[str, Any]:
        """As JSON."""
        return self.found.document

    @property
    def path(self) -> str:
        """Of its page."""
        return adjustment_path(self.document["id"])

    @property
    def month(self) -> date | None:
        """The first day of the month that it corrects."""
        return parse_month(self.document.get("month", ""))

    @property
    def month_path(self) -> str | None:
        """Of the page of that month."""
        return month_path(self.month) if self.month else None

    @property
    def title(self) -> str:
        """What it is."""
        if self.month is None:
            return gettext("Adjustment")
        return gettext("Correction of %(month)s") % {"month": self.page.formats.month(self.month)}

    @property
    def is_sold(self) -> bool:
        """Whether the reader is its seller."""
        return self.document["seller"] == str(self.page.actor.organisation_id)

    @property
    def buyer_path(self) -> str:
        """Of all adjustments of its buyer."""
        return adjustments_path(role="seller" if self.is_sold else "buyer", buyer=self.document["buyer"])

    @property
    def made_at(self) -> datetime:
        """When it was made."""
        return datetime.fromisoformat(self.document["createdAt"])

    @property
    def statement_path(self) -> str | None:
        """Of the frozen statement that was computed again."""
        return path_of(self.document["statement"]) if self.document.get("statementNumber") else None

    def money(self, amount: str) -> Money:
        """An amount of the document."""
        return Money(Decimal(amount), self.document["currency"])

    @cached_property
    def pairs(self) -> list[Pair]:
        """The lines before and after; without those in another currency, which another adjustment is about."""
        return pairs(self._lines(self.found.before), self._lines(self.found.after))

    def _lines(self, statement: StoredStatement | None) -> list[dict[str, Any]]:
        if statement is None or statement.currency != self.document["currency"]:
            return []
        return own_lines_document(statement)

    @property
    def sums(self) -> tuple[Money, Money]:
        """Of all lines, before and after."""
        return self._sum([pair.before for pair in self.pairs]), self._sum([pair.after for pair in self.pairs])

    @property
    def same(self) -> Money:
        """The sum of the lines that have not changed."""
        return self._sum([pair.after for pair in self.pairs if not pair.is_changed])

    def _sum(self, lines: Sequence[Line | None]) -> Money:
        return self.money(str(sum((Decimal(line["amount"]) for line in lines if line), Decimal(0))))

    def row(self, pair: Pair) -> ComparedRow:
        """Its texts."""
        before, after = self._texts(pair.before), self._texts(pair.after)
        given = [texts for texts in (after, before) if texts]
        about = list(dict.fromkeys(text for texts in given for text in texts["about"]))
        difference = self._sum([pair.after]) - self._sum([pair.before])
        return ComparedRow(given[0]["name"], about, before, after, difference)

    def _texts(self, line: Line | None) -> dict[str, Any] | None:
        if line is None:
            return None
        formats = self.page.formats
        words = translations_of(language_of(self.page.language, DOCUMENTS), DOCUMENTS)
        named = {"subjectName": self.document["buyerName"], **line}
        return line_texts(named, self.document["currency"], formats, formats.day, words)
