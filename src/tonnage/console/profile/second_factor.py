"""The second factor of a member: whether there is one, new recovery codes, and doing without it again."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.authentication.credential_actions import remove_second_factor, renew_recovery_codes
from tonnage.authentication.second_factor_queries import recovery_codes_left
from tonnage.authentication.session import Stage
from tonnage.console.confirmation import Confirmation
from tonnage.console.page_request import AnyMember, EnrollingMember, PageRequest
from tonnage.console.rendering import gettext
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Text

PATH = "/profile/second-factor"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)


class ProofForm(Form):
    """A code of the app, or a recovery code."""

    code: Text


class BeginForm(Form):
    """The present password, so that nobody sets up an app of his own at a desk that was left."""

    current: Text


@routes.get("")
async def show(page: EnrollingMember) -> Response:
    """Whether there is one. For those who must have one first, why no other page opens."""
    return await state(page, unbound(BeginForm))


async def state(page: PageRequest, form: BoundForm[BeginForm]) -> Response:
    """The same page, with `form` as it was filled in."""
    visitor = page.visitor
    left = None
    if visitor.has_second_factor:
        left = await page.database.run(recovery_codes_left, visitor.member_id)
    return page.render(
        "profile/second_factor.html",
        status=form.status,
        headers=form.headers,
        form=form,
        left=left,
        is_enrolling=visitor.stage is Stage.ENROLMENT,
        can_be_kept=page.services.key_file is not None,
    )


@routes.get("/recovery-codes")
async def ask_codes(page: AnyMember) -> Response:
    """What new ones mean."""
    return _renewal(page, unbound(ProofForm))


@routes.post("/recovery-codes")
async def renew(page: AnyMember) -> Response:
    """The new ones, this once."""
    form = bind(ProofForm, page.fields)
    codes = await form.submit(lambda values: _renew(page, values), about="code")
    if codes is None:
        return _renewal(page, form)
    return page.render("profile/recovery_codes.html", codes=codes, is_new=False)


@routes.get("/removal")
async def ask_removal(page: AnyMember) -> Response:
    """What it means to do without one. Where that is forbidden, the page before says why."""
    return page.redirect(PATH) if page.visitor.second_factor_required else _removal(page, unbound(ProofForm))


@routes.post("/removal")
async def remove(page: AnyMember) -> Response:
    """Back to the page of the second factor."""
    form = bind(ProofForm, page.fields)
    removed = await form.submit(lambda values: _remove(page, values), about="code")
    if removed is None:
        return _removal(page, form)
    return page.redirect(PATH, gettext("Two-factor authentication removed: your password alone is enough again"))


async def _renew(page: PageRequest, values: ProofForm) -> list[str]:
    key_file = page.services.key_file
    return await renew_recovery_codes(page.database, key_file, page.visitor, values.code, page.client, page.wall_now)


async def _remove(page: PageRequest, values: ProofForm) -> bool:
    key_file = page.services.key_file
    await remove_second_factor(page.database, key_file, page.visitor, values.code, page.client, page.wall_now)
    return True


def _renewal(page: PageRequest, form: BoundForm[ProofForm]) -> Response:
    sentences = [
        gettext("You get ten new recovery codes, shown only once."),
        gettext("Your current codes, used or not, stop working."),
    ]
    return _question(
        page, form, gettext("Create recovery codes"), sentences, gettext("Create recovery codes"), danger=False
    )


def _removal(page: PageRequest, form: BoundForm[ProofForm]) -> Response:
    sentences = [
        gettext("Your password alone is then enough to sign in, for you and for anybody else who knows it."),
        gettext("The entry in your authenticator app and your recovery codes stop working."),
    ]
    button = gettext("Remove two-factor authentication")
    return _question(page, form, gettext("Remove two-factor authentication"), sentences, button, danger=True)


def _question(
    page: PageRequest, form: BoundForm[ProofForm], title: str, sentences: list[str], button: str, *, danger: bool
) -> Response:
    if not page.visitor.has_second_factor:
        return page.redirect(PATH)
    hint = gettext("The six digits that your authenticator app shows now, or a recovery code.")
    question = Confirmation(
        title=title,
        crumbs=[(gettext("Two-factor authentication"), PATH)],
        sentences=sentences,
        fields=[("code", gettext("Code"), hint)],
        button=button,
        danger=danger,
        cancel=PATH,
    )
    return question.render(page, form)
