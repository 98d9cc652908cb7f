"""The second factor of a member: whether there is one, new recovery codes, and doing without it again."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.factor_queries import recovery_codes_left
from tonnage.access.profile_actions import remove_second_factor, renew_recovery_codes
from tonnage.access.session import Stage
from tonnage.console.rendering import gettext
from tonnage.console.visit import AnyMember, EnrollingMember, Visit
from tonnage.web.forms import Filled, Form, blank, fill
from tonnage.web.payload import Text
from tonnage.web.route import Door

PATH = "/profile/second-factor"

routes = APIRouter(prefix=PATH, route_class=Door, include_in_schema=False)


class ProofForm(Form):
    """A code of the app, or a recovery code."""

    code: Text


class BeginForm(Form):
    """The present password, so that nobody sets up an app of his own at a desk that was left."""

    current: Text


@routes.get("")
async def show(visit: EnrollingMember) -> Response:
    """Whether there is one. For those who must have one first, why no other page opens."""
    return await state(visit, blank(BeginForm))


async def state(visit: Visit, form: Filled[BeginForm]) -> Response:
    """The same page, with `form` as it was filled in."""
    visitor = visit.visitor
    left = None
    if visitor.has_second_factor:
        left = await visit.database.run(lambda conn: recovery_codes_left(conn, visitor.member_id))
    return visit.page(
        "profile/second_factor.html",
        status=form.status if form.errors else 200,
        headers=form.headers,
        form=form,
        left=left,
        is_enrolling=visitor.stage is Stage.ENROLMENT,
        can_be_kept=visit.resources.key_file is not None,
    )


@routes.get("/recovery-codes")
async def ask_codes(visit: AnyMember) -> Response:
    """What new ones mean."""
    return _renewal(visit, blank(ProofForm))


@routes.post("/recovery-codes")
async def renew(visit: AnyMember) -> Response:
    """The new ones, this once."""
    form = fill(ProofForm, visit.fields)
    codes = await form.submit(lambda typed: _renew(visit, typed), about="code")
    if codes is None:
        return _renewal(visit, form)
    return visit.page("profile/recovery_codes.html", codes=codes, is_new=False)


@routes.get("/removal")
async def ask_removal(visit: AnyMember) -> Response:
    """What it means to do without one. Where that is forbidden, the page before says why."""
    return visit.see(PATH) if visit.visitor.second_factor_required else _removal(visit, blank(ProofForm))


@routes.post("/removal")
async def remove(visit: AnyMember) -> Response:
    """Back to the page of the second factor."""
    form = fill(ProofForm, visit.fields)
    removed = await form.submit(lambda typed: _remove(visit, typed), about="code")
    if removed is None:
        return _removal(visit, form)
    return visit.see(PATH, gettext("The second factor was removed. Your password is enough again."))


async def _renew(visit: Visit, typed: ProofForm) -> list[str]:
    key_file = visit.resources.key_file
    return await renew_recovery_codes(visit.database, key_file, visit.visitor, typed.code, visit.client, visit.now)


async def _remove(visit: Visit, typed: ProofForm) -> bool:
    key_file = visit.resources.key_file
    await remove_second_factor(visit.database, key_file, visit.visitor, typed.code, visit.client, visit.now)
    return True


def _renewal(visit: Visit, form: Filled[ProofForm]) -> Response:
    sentences = [
        gettext("You get ten new recovery codes, shown once."),
        gettext("Those that you have now, used or not, are worth nothing from then on."),
    ]
    return _question(visit, form, gettext("New recovery codes"), sentences, gettext("Make new codes"), danger=False)


def _removal(visit: Visit, form: Filled[ProofForm]) -> Response:
    sentences = [
        gettext("From then on your password alone opens this console, for you and for whoever gets to know it."),
        gettext("The entry in your authenticator app and your recovery codes are worth nothing afterwards."),
    ]
    button = gettext("Remove second factor")
    return _question(visit, form, gettext("Remove second factor"), sentences, button, danger=True)


def _question(
    visit: Visit, form: Filled[ProofForm], title: str, sentences: list[str], button: str, *, danger: bool
) -> Response:
    if not visit.visitor.has_second_factor:
        return visit.see(PATH)
    hint = gettext("The six digits that your authenticator app shows now, or a recovery code.")
    return visit.page(
        "components/confirm.html",
        status=form.status if form.errors else 200,
        headers=form.headers,
        form=form,
        title=title,
        crumbs=[(gettext("Second factor"), PATH)],
        sentences=sentences,
        fields=[("code", gettext("Code"), hint)],
        button=button,
        danger=danger,
        cancel=PATH,
    )
