"""The way in and out: password, second factor, the way back after a forgotten password."""

from fastapi import APIRouter

from tonnage.console.sign_in import code, device_link, forgotten, new_password, password

routes: tuple[APIRouter, ...] = (
    password.routes,
    code.routes,
    forgotten.routes,
    device_link.routes,
    new_password.routes,
)
