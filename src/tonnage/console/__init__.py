"""The console: pages for operators, distributors and partners, drawn here and whole without a script."""

from fastapi import APIRouter, FastAPI

from tonnage.console import (
    distributor,
    operator,
    own,
    partner,
    profile,
    refusals,
    rendering,
    sign_in,
    start,
    styleguide,
)
from tonnage.console.visit import SignInWanted

routes: tuple[APIRouter, ...] = (
    start.routes,
    *sign_in.routes,
    *distributor.routes,
    *partner.routes,
    *operator.routes,
    *own.routes,
    *profile.routes,
)
"""The pages."""

sample_routes: tuple[APIRouter, ...] = (styleguide.routes,)
"""Pages beside a demo."""


def install(app: FastAPI) -> None:
    """Serve what pages need, and say to people in a page what the API says as JSON."""
    rendering.statics.install(app)
    app.state.refusal_pages = refusals
    app.exception_handler(SignInWanted)(refusals.sign_in_wanted)


def prepare() -> None:
    """What is done before the first visitor comes."""
    rendering.prepare()
