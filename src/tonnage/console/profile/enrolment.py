"""Setting up a second factor: the QR code, the first code of the app, and the recovery codes."""

from dataclasses import replace

import segno
from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from tonnage.authentication.credential_actions import begin_second_factor
from tonnage.authentication.second_factor import Enrolment
from tonnage.authentication.second_factor_actions import (
    confirm_enrolment,
    pending_enrolment,
    require_keys_and_no_factor,
)
from tonnage.authentication.session import Stage
from tonnage.console.page_request import EnrollingMember, PageRequest
from tonnage.console.profile.second_factor import PATH, BeginForm, ProofForm, state
from tonnage.web.forms import BoundForm, bind, unbound
from tonnage.web.routing import AuthFirstRoute

_SETUP = f"{PATH}/setup"

routes = APIRouter(prefix=_SETUP, route_class=AuthFirstRoute, include_in_schema=False)


@routes.post("/begin")
async def begin(page: EnrollingMember) -> Response:
    """On to what the app must know. Conflict: there is a factor already, or there are no keys to seal one."""
    require_keys_and_no_factor(page.services.key_file, page.visitor)
    form = bind(BeginForm, page.fields)
    begun = await form.submit(lambda values: _begin(page, values), about="current")
    return await state(page, form) if begun is None else page.redirect(_SETUP)


@routes.get("")
async def show(page: EnrollingMember) -> Response:
    """The QR code; again as long as no code has confirmed it."""
    return await _page(page, unbound(ProofForm))


@routes.post("")
async def confirm(page: EnrollingMember) -> Response:
    """The recovery codes, this once. The session goes on under another token."""
    form = bind(ProofForm, page.fields)
    confirmed = await form.submit(lambda values: _confirm(page, values), about="code")
    if confirmed is None:
        return await _page(page, form)
    token, codes = confirmed
    visitor = replace(page.visitor, stage=Stage.OPEN, has_second_factor=True)
    response = replace(page, visitor=visitor, secret=token).render(
        "profile/recovery_codes.html", codes=codes, is_new=True
    )
    page.cookies.set_session(response, token)
    return response


async def _begin(page: PageRequest, values: BeginForm) -> Enrolment:
    passwords, key_file = page.services.passwords, page.services.key_file
    return await begin_second_factor(
        page.database, passwords, key_file, page.visitor, values.current, page.client, page.wall_now
    )


async def _confirm(page: PageRequest, values: ProofForm) -> tuple[str, list[str]]:
    key_file = page.services.key_file
    return await page.database.transaction(confirm_enrolment, key_file, page.visitor, values.code, page.wall_now)


async def _page(page: PageRequest, form: BoundForm[ProofForm]) -> Response:
    key_file = page.services.key_file
    begun = await page.database.run(pending_enrolment, key_file, page.visitor) if key_file else None
    if begun is None:
        return page.redirect(PATH)
    return page.render(
        "profile/enrolment.html",
        status=form.status,
        form=form,
        picture=_picture(begun),
        seed=" ".join(begun.seed[start : start + 4] for start in range(0, len(begun.seed), 4)),
        is_enrolling=page.visitor.stage is Stage.ENROLMENT,
    )


def _picture(begun: Enrolment) -> Markup:
    # The policy allows no style attributes, and segno sets none. Scanners need four modules of margin: half is padding.
    code = segno.make(begun.uri, error="m", micro=False)
    return Markup(code.svg_inline(omitsize=True, border=2, svgclass="qr", lineclass=None))  # noqa: S704  made here
