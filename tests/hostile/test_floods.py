"""A right sign-in is not delayed by those who make the server hash passwords."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from statistics import median

import pytest

from tests.hostile import attacks
from tests.hostile.serving import Server

pytestmark = pytest.mark.anyio

SECONDS = 3.0
"""What a right sign-in may take."""
TIMES = 15
"""Or how many times as long as without the attack, on a machine that is busy with something else: a few hashes are
ahead of it, each with the machine to share. In order of arrival 75 would be.
"""

Attack = Callable[[Server, int], AbstractAsyncContextManager[attacks.Flood]]


@pytest.mark.parametrize(
    ("attack", "workers"), [(attacks.key_on_unknown_accounts, 100), (attacks.anonymous_sign_ins, 150)]
)
async def test_a_right_sign_in_is_fast_meanwhile(server: Server, attack: Attack, workers: int) -> None:
    alone = [(await attacks.right_sign_in(server))[1] for _ in range(4)]
    async with attack(server, workers) as flood:
        await flood.refused.wait()
        took = [await attacks.right_sign_in(server) for _ in range(7)]
    assert {status for status, _ in took} == {303}
    assert median(seconds for _, seconds in took) < max(SECONDS, TIMES * median(alone))
    assert set(flood.statuses) <= {404, 422, 503}
