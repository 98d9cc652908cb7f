"""The doors to storage accounts: a file for the published ones, the others by what they are about."""

from fastapi import APIRouter

from tonnage.accounts.api import access_keys, extensions, published

routes: tuple[APIRouter, ...] = (published.routes, extensions.routes, access_keys.routes)
