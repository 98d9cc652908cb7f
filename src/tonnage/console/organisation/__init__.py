"""What an organisation of any kind has of its own: its team, its API keys, blocks of sign-ins, its record of what was
done.
"""

from fastapi import APIRouter

from tonnage.console.organisation import audit, blocks, key_limit, keys, team

routes: tuple[APIRouter, ...] = (
    team.routes,
    team.member,
    team.sessions,
    keys.routes,
    key_limit.routes,
    blocks.routes,
    audit.routes,
)
