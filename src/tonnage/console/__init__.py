"""The console: pages for operators, distributors and partners, drawn here and whole without a script."""

from fastapi import APIRouter, FastAPI

from tonnage.console import (
    attention,
    billing,
    distributor,
    error_pages,
    home,
    notifications,
    operator,
    organisation,
    partner,
    prices,
    profile,
    reauthentication,
    rendering,
    sign_in,
    statements,
    styleguide,
    webhooks,
)
from tonnage.console.page_request import SignInRequired
from tonnage.errors import ReauthenticationRequired

routes: tuple[APIRouter, ...] = (
    home.routes,
    *attention.routes,
    *sign_in.routes,
    *distributor.routes,
    *partner.routes,
    *operator.routes,
    *organisation.routes,
    *billing.routes,
    *prices.routes,
    *statements.routes,
    *profile.routes,
    *notifications.routes,
    *webhooks.routes,
)
"""The pages."""

sample_routes: tuple[APIRouter, ...] = (styleguide.routes,)
"""Pages beside a demo."""


def install(app: FastAPI) -> None:
    """Serve what pages need, and say to people in a page what the API says as JSON."""
    rendering.static_files.install(app)
    app.state.error_pages = error_pages
    app.exception_handler(SignInRequired)(error_pages.redirect_to_sign_in)
    app.exception_handler(ReauthenticationRequired)(reauthentication.ask)


def prepare() -> None:
    """What is done before the first visitor comes."""
    rendering.prepare()
