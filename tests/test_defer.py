"""A job that cannot be deferred fails with the driver's error, from whose class it follows what a client gets."""

import psycopg
import pytest

from tests.cast import Cast
from tests.roles import run_as_owner, url_of
from tonnage.db import Connection
from tonnage.db.failures import Failure, failure_of
from tonnage.jobs import defer

pytestmark = pytest.mark.anyio


async def test_of_an_error_while_a_job_is_deferred(own_database: Cast) -> None:
    async def attempt(conn: Connection) -> None:
        await defer(conn, "provisioning.requota", "00000000-0000-4000-8000-000000000001")

    run_as_owner(
        url_of(own_database.database),
        "alter table procrastinate_jobs add check (task_name <> 'provisioning.requota')",
    )
    with pytest.raises(psycopg.Error) as error:
        await own_database.database.transaction(attempt)
    assert failure_of(error.value) is Failure.CONFLICT
