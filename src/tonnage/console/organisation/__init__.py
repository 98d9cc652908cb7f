"""What an organisation of any kind has of its own: its team, its API keys, its record of what was done."""

from fastapi import APIRouter

from tonnage.console.organisation import audit, key_limit, keys, team

routes: tuple[APIRouter, ...] = (team.routes, team.member, keys.routes, key_limit.routes, audit.routes)
