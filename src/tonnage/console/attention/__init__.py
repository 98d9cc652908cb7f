"""Whom to call today: the sections of the start pages, and each of them whole."""

from fastapi import APIRouter

from tonnage.console.attention import section_page

routes: tuple[APIRouter, ...] = (section_page.routes,)
