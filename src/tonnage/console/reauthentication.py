"""The page that asks members to confirm that it is them, in the middle of what they were sending."""

from starlette.requests import Request
from starlette.responses import Response

from tonnage.authentication.session import REAUTHENTICATE_AFTER
from tonnage.console.page_context import PageContext
from tonnage.console.page_request import PROOF, PageRequest
from tonnage.errors import Busy, ReauthenticationRequired, Throttled, Unauthenticated
from tonnage.web import kept_form
from tonnage.web.forms import Form, unbound


async def ask(request: Request, error: Exception) -> Response:
    """The reply to a form that needs a proof. It contains the form, which goes on to its page with the proof."""
    page = PageContext.of(request.scope)
    if not isinstance(error, ReauthenticationRequired) or not isinstance(page, PageRequest):
        raise error
    form = unbound(Form)
    refusal = error.refusal
    if refusal is not None:
        form.errors["" if isinstance(refusal, Throttled | Busy) else PROOF] = refusal
    return page.render(
        "components/reauthentication.html",
        status=422 if isinstance(refusal, Unauthenticated) else (refusal or error).code.status,
        headers=form.headers,
        form=form,
        proof=PROOF,
        kept_form=(kept_form.FIELD, kept_form.seal(page.secret, page.path, page.fields)),
        minutes=int(REAUTHENTICATE_AFTER.total_seconds() // 60),
    )
