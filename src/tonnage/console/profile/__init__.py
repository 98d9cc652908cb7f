"""What members see and change of their own login."""

from fastapi import APIRouter

from tonnage.console.profile import about_me, enrolment, password, second_factor, sessions

routes: tuple[APIRouter, ...] = (
    about_me.routes,
    password.routes,
    second_factor.routes,
    enrolment.routes,
    sessions.routes,
)
