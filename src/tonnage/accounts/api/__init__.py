"""The doors to storage accounts: a file for the published ones, the others by what they are about."""

from fastapi import APIRouter

from tonnage.accounts.api import published

routes: tuple[APIRouter, ...] = (published.routes,)
