"""Without a region no account can be created."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.cast import Cast
from tests.unchanged import refused
from tonnage.db import connect
from tonnage.errors import Conflict, NotFound
from tonnage.partners.actions import close_partner

pytestmark = pytest.mark.anyio


async def test_an_account_needs_a_region(new_database: Callable[[], AbstractContextManager[str]]) -> None:
    with new_database() as conninfo:
        async with connect(conninfo) as database:
            cast = await Cast.of(database)
            distributor = await cast.distributor()
            partner = await cast.partner(distributor, await cast.contract(distributor))
            async with refused(database, Conflict, "no region for storage accounts yet"):
                await cast.account(partner)
            await database.run(close_partner, distributor, partner.organisation_id, cast.now)
            async with refused(database, NotFound):
                await cast.account(partner)
