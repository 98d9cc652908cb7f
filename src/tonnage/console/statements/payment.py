"""The form by which a seller marks a statement as paid."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.billing.buyer import frozen_id, no_statement
from tonnage.console.page_request import AnyAdmin
from tonnage.console.rendering import gettext
from tonnage.console.statements.paths import PATH
from tonnage.console.statements.shown import ShownStatement
from tonnage.statements.actions import find_frozen, pay
from tonnage.statements.frozen import Payment
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Day, Text

routes = APIRouter(prefix=f"{PATH}/{{statementID}}/payment", route_class=AuthFirstRoute, include_in_schema=False)


class PaymentForm(Form):
    """When it was paid, and how that is found again."""

    paid_on: Day
    reference: Text


@routes.get("")
@routes.post("")
async def payment(page: AnyAdmin, statementID: str) -> Response:
    """Asks for the day and the reference, then marks the statement as paid. One that is paid already shows that."""
    found = frozen_id(statementID)
    statement = await page.database.run(find_frozen, page.actor.organisation_id, found)
    if statement.seller_id != page.actor.organisation_id:
        raise no_statement(statementID)
    shown = ShownStatement(page, statement.document(page.today))
    form: BoundForm[PaymentForm] = unbound(PaymentForm, paid_on=page.today.isoformat())
    if page.request.method == "POST":
        form = bind(PaymentForm, page.fields)

        async def act(values: PaymentForm) -> bool:
            details = Payment.read(values.paid_on, values.reference, page.today)
            await page.database.run(pay, page.actor, found, details)
            return True

        if await form.submit(act, fields={"paidOn": "paid_on"}):
            return page.redirect(shown.path, gettext("Statement marked as paid"))
    elif shown.state == "paid":
        return page.redirect(shown.path)
    return page.render("statements/payment.html", status=form.status, shown=shown, form=form)
