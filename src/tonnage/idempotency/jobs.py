"""The background job for responses that are kept for an Idempotency-Key."""

from tonnage.errors import Sentence
from tonnage.idempotency import queries
from tonnage.jobs.declaration import Clock, job
from tonnage.services import Services

_AT_ONCE = 10_000


@job(
    "idempotency.delete_expired",
    label=Sentence("Delete saved responses of API requests after 24 hours"),
    cron="23 * * * *",
    clock=Clock.WALL,
    since="0003",
)
async def delete_expired(services: Services, subject: str) -> None:
    """Deletes responses whose keys may be used again."""
    now = services.wall_clock()
    while await services.database.run(queries.delete_expired, now, _AT_ONCE) == _AT_ONCE:
        pass
