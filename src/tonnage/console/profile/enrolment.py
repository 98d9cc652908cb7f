"""Setting up a second factor: the QR code, the first code of the app, and the recovery codes."""

from dataclasses import replace

import segno
from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from tonnage.access.factor import Enrolment
from tonnage.access.factor_actions import confirm_enrolment, pending_enrolment, require_keys_and_no_factor
from tonnage.access.profile_actions import begin_second_factor
from tonnage.access.session import Stage
from tonnage.console.profile.second_factor import PATH, BeginForm, ProofForm, state
from tonnage.console.visit import EnrollingMember, Visit
from tonnage.web.forms import Filled, blank, fill
from tonnage.web.route import Door

_SETUP = f"{PATH}/setup"

routes = APIRouter(prefix=_SETUP, route_class=Door, include_in_schema=False)


@routes.post("/begin")
async def begin(visit: EnrollingMember) -> Response:
    """On to what the app must know. Conflict: there is a factor already, or there are no keys to seal one."""
    require_keys_and_no_factor(visit.resources.key_file, visit.visitor)
    form = fill(BeginForm, visit.fields)
    begun = await form.submit(lambda typed: _begin(visit, typed), about="current")
    return await state(visit, form) if begun is None else visit.see(_SETUP)


@routes.get("")
async def show(visit: EnrollingMember) -> Response:
    """The QR code; again as long as no code has confirmed it."""
    return await _page(visit, blank(ProofForm))


@routes.post("")
async def confirm(visit: EnrollingMember) -> Response:
    """The recovery codes, this once. The session goes on under another token."""
    form = fill(ProofForm, visit.fields)
    confirmed = await form.submit(lambda typed: _confirm(visit, typed), about="code")
    if confirmed is None:
        return await _page(visit, form)
    token, codes = confirmed
    visitor = replace(visit.visitor, stage=Stage.OPEN, has_second_factor=True)
    response = replace(visit, visitor=visitor, secret=token).page(
        "profile/recovery_codes.html", codes=codes, is_new=True
    )
    visit.cookies.set_session(response, token)
    return response


async def _begin(visit: Visit, typed: BeginForm) -> Enrolment:
    passwords, key_file = visit.resources.passwords, visit.resources.key_file
    return await begin_second_factor(
        visit.database, passwords, key_file, visit.visitor, typed.current, visit.client, visit.now
    )


async def _confirm(visit: Visit, typed: ProofForm) -> tuple[str, list[str]]:
    key_file = visit.resources.key_file
    return await visit.database.transaction(
        lambda conn: confirm_enrolment(conn, key_file, visit.visitor, typed.code, visit.now)
    )


async def _page(visit: Visit, form: Filled[ProofForm]) -> Response:
    key_file = visit.resources.key_file
    begun = (
        await visit.database.run(lambda conn: pending_enrolment(conn, key_file, visit.visitor)) if key_file else None
    )
    if begun is None:
        return visit.see(PATH)
    return visit.page(
        "profile/enrolment.html",
        status=form.status if form.errors else 200,
        form=form,
        picture=_picture(begun),
        seed=" ".join(begun.seed[start : start + 4] for start in range(0, len(begun.seed), 4)),
        is_enrolling=visit.visitor.stage is Stage.ENROLMENT,
    )


def _picture(begun: Enrolment) -> Markup:
    # The policy allows no style attributes, and segno sets none. Scanners need four modules of margin: half is padding.
    code = segno.make(begun.uri, error="m", micro=False)
    return Markup(code.svg_inline(omitsize=True, border=2, svgclass="qr", lineclass=None))  # noqa: S704  made here
