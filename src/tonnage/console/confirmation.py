"""Pages that ask before something is done: they say what will happen, and have a button that does it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from tonnage.console.page_request import PageRequest
from tonnage.errors import TonnageError, Unavailable
from tonnage.web.forms import BoundForm, Form, bind, unbound


@dataclass(frozen=True)
class Confirmation:
    """What such a page says."""

    title: str
    crumbs: Sequence[tuple[str, str]]
    sentences: Sequence[str]
    """The consequences."""
    button: str | None
    """None: it cannot be done now, and the sentences say why."""
    cancel: str
    """Where the way back leads."""
    danger: bool = False
    fields: Sequence[tuple[str, str, str]] = ()
    """Texts to be given with it: names, labels and hints."""
    items: Sequence[str] = ()
    """A list below the sentences."""
    hidden: Mapping[str, str] = field(default_factory=dict[str, str])
    """What is sent with it, such as the revision that was shown."""
    other: tuple[str, str] | None = None
    """The label and the path of another way, where this one is refused."""

    def render(self, page: PageRequest, form: BoundForm[Any], status: int | None = None) -> Response:
        """The page. `form` has been refused, or nobody has sent it yet."""
        return page.render(
            "components/confirm.html",
            status=status or form.status,
            headers=form.headers,
            confirmation=self,
            form=form,
        )


async def confirm(
    page: PageRequest,
    ask: Callable[[], Awaitable[Confirmation | None]],
    act: Callable[[], Awaitable[object]],
    *,
    done: str,
    notice: str | Callable[[], str],
) -> Response:
    """The reply to both methods of such a page: GET asks, POST acts and redirects to the path `done`, with `notice`.

    A notice that depends on what was done is a function. A refusal is shown with the question. `ask` gives None where
    there is nothing to ask, since it is done already: then GET redirects as well.
    """
    form, status = unbound(Form), None
    if page.request.method == "POST":
        form = bind(Form, page.fields)
        try:
            await form.submit(lambda _: act())
        except Unavailable as error:
            form.errors[""], status = error, 503
        if not form.errors:
            return page.redirect(done, notice if isinstance(notice, str) else notice())
    question = await ask()
    if question is not None:
        return question.render(page, form, status)
    refusal = form.errors.get("")
    if isinstance(refusal, TonnageError):
        raise refusal
    return page.redirect(done)
