"""The forms by which a seller issues a credit note of a statement or of one of its lines, or makes it void."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.billing.buyer import frozen_id
from tonnage.console.confirmation import Confirmation
from tonnage.console.page_request import AnyAdmin, PageRequest
from tonnage.console.rendering import gettext, said
from tonnage.console.statements.paths import PATH, path_of
from tonnage.console.statements.shown import ShownStatement
from tonnage.credit_notes.actions import find_original, issue_credit_note, void_statement
from tonnage.credit_notes.credit_note import credit_note
from tonnage.credit_notes.new_credit_note import LineAmount
from tonnage.credit_notes.original import Original
from tonnage.errors import Conflict
from tonnage.money import Money
from tonnage.statements.statement import line_number, no_line
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.number_fields import Number
from tonnage.web.number_text import written
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Text

routes = APIRouter(prefix=f"{PATH}/{{statementID}}", route_class=AuthFirstRoute, include_in_schema=False)


class ReasonForm(Form):
    """Why it is taken back."""

    reason: Text


class LineForm(ReasonForm):
    """How much of a line is taken back, and why."""

    amount: Number


@routes.get("/credit-note")
@routes.post("/credit-note")
async def credit(page: AnyAdmin, statementID: str) -> Response:
    """Asks, then takes back all that is left."""
    original = await _original(page, statementID)
    form: BoundForm[Any] = unbound(ReasonForm)
    if page.request.method == "POST":
        form = bind(ReasonForm, page.fields)
        if note := await form.submit(lambda values: _issue(page, original, None, values.reason)):
            return page.redirect(note, gettext("Credit note issued"))
    shown = _shown(page, original)
    try:
        original.require_creditable()
        note = credit_note(original, None)
    except Conflict as error:
        return _question(shown, gettext("Issue credit note"), [said(error)], form)
    sentences = [
        gettext("A credit note takes back what is left of %(statement)s: %(amount)s of %(total)s.")
        % {"statement": shown.number, "amount": _text(page, -note.gross), "total": _text(page, shown.gross)},
        gettext(
            "It gets a number of its own, and cannot be undone. The statement does not change. To take back a part of "
            "one line, open the line."
        ),
    ]
    return _question(shown, gettext("Issue credit note"), sentences, form, [_reason()])


@routes.get("/lines/{line}/credit-note")
@routes.post("/lines/{line}/credit-note")
async def credit_line(page: AnyAdmin, statementID: str, line: str) -> Response:
    """Asks how much of a line, then takes it back."""
    original, number = await _original(page, statementID), line_number(line)
    if not 1 <= number <= len(original.statement.lines) or original.statement.lines[number - 1].amount.amount <= 0:
        raise no_line(line)
    left = original.left(number)
    form: BoundForm[Any] = unbound(LineForm, amount=written(left.amount, page.formats.number_format))
    if page.request.method == "POST":
        form = bind(LineForm, page.fields, page.formats.number_format)

        async def act(values: LineForm) -> str:
            return await _issue(page, original, [LineAmount(number, f"{values.amount:f}")], values.reason)

        if note := await form.submit(act, fields={"lines.0": "amount"}):
            return page.redirect(note, gettext("Credit note issued"))
    shown = _shown(page, original)
    try:
        original.require_creditable()
    except Conflict as error:
        return _question(shown, gettext("Issue credit note"), [said(error)], form)
    about = shown.line(original.statement.line(number))
    sentences = [
        gettext("Line %(number)s of %(statement)s: %(name)s, %(amount)s, of which %(left)s is left.")
        % {
            "number": page.formats.number(number),
            "statement": shown.number,
            "name": ", ".join([about["name"], *about["about"]]),
            "amount": about["amount"],
            "left": _text(page, left),
        },
        gettext("The tax of the amount is taken back with it."),
    ]
    hint = gettext("%(currency)s, before taxes.") % {"currency": left.currency}
    fields = [("amount", gettext("Amount"), hint), _reason()]
    return _question(shown, gettext("Issue credit note"), sentences, form, fields)


@routes.get("/void")
@routes.post("/void")
async def void(page: AnyAdmin, statementID: str) -> Response:
    """Asks, then makes it void."""
    original = await _original(page, statementID)
    form: BoundForm[Any] = unbound(ReasonForm)
    shown = _shown(page, original)
    if page.request.method == "POST":
        form = bind(ReasonForm, page.fields)

        async def act(values: ReasonForm) -> bool:
            found, reason = original.statement.id, values.reason
            await page.database.transaction(void_statement, page.actor, found, reason, page.business_now)
            return True

        if await form.submit(act):
            return page.redirect(shown.path, gettext("Statement is void"))
    try:
        original.require_voidable()
    except Conflict as error:
        return _question(shown, gettext("Make void"), [said(error)], form)
    sentences = [
        gettext(
            "%(statement)s keeps its number and counts nowhere from then on. The next freeze of %(month)s makes "
            "another statement for %(buyer)s, with the addresses and prices of then."
        )
        % {
            "statement": shown.number,
            "month": page.formats.month(shown.first),
            "buyer": shown.document["buyerName"],
        },
        gettext("If the buyer has booked it already, issue a credit note instead."),
    ]
    return _question(shown, gettext("Make void"), sentences, form, [_reason()], danger=True)


async def _original(page: PageRequest, text: str) -> Original:
    """Of a statement that the reader has sold. NotFound."""
    return await page.database.run(find_original, page.actor, frozen_id(text))


async def _issue(page: PageRequest, original: Original, lines: Sequence[LineAmount] | None, reason: str) -> str:
    """The path of the credit note."""
    note = await issue_credit_note(page.services, page.actor, original.statement.id, lines, reason, page.business_now)
    return path_of(note.id)


def _shown(page: PageRequest, original: Original) -> ShownStatement:
    return ShownStatement(page, original.statement.document(page.today))


def _text(page: PageRequest, amount: Money) -> str:
    return page.formats.exact_money(amount)


def _reason() -> tuple[str, str, str]:
    return "reason", gettext("Reason"), gettext("The buyer sees it.")


def _question(
    shown: ShownStatement,
    title: str,
    sentences: Sequence[str],
    form: BoundForm[Any],
    fields: Sequence[tuple[str, str, str]] = (),
    *,
    danger: bool = False,
) -> Response:
    """Without fields it is a refusal, which has no button."""
    return Confirmation(
        title=title,
        crumbs=[*shown.crumbs, (shown.title, shown.path)],
        sentences=sentences,
        button=title if fields else None,
        cancel=shown.path,
        danger=danger,
        fields=fields,
    ).render(shown.page, form)
