"""The API of storage accounts: the published routes and the extended ones."""

from fastapi import APIRouter

from tonnage.accounts.api import extensions, published

routes: tuple[APIRouter, ...] = (published.routes, extensions.routes)
