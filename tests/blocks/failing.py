"""Test data: failures that lead to blocks."""

from dataclasses import replace

from tests.authentication.members import Person
from tests.cast import NOW, Cast
from tonnage.access.actor import Actor
from tonnage.authentication import throttling
from tonnage.authentication.throttling import MOST_AT_ADDRESS, AddressFailures, ThrottleKey
from tonnage.authentication.throttling_actions import count_attempts
from tonnage.blocks.block import Block
from tonnage.blocks.lists import BLOCKS, block_rows
from tonnage.web.list_state import read_list_state


async def block(cast: Cast, *subjects: ThrottleKey) -> None:
    """Attempts that fail until the next one would be refused; those in the middle are not made."""
    for subject in subjects:
        await cast.database.run(count_attempts, [subject], NOW)
        await cast.row(
            "update sign_in_throttle set failures = %s where subject = %s returning id",
            subject.failures - 1,
            subject.digest,
        )
        counted = await cast.database.run(count_attempts, [subject], NOW)
        assert counted.tries[0][1].blocks


async def block_pair(cast: Cast, ann: Person) -> None:
    """At the member's address, from its client, without its site."""
    await block(cast, throttling.email_and_client(ann.email, ann.client.address)[0])


async def exhaust_address(cast: Cast, ann: Person) -> None:
    """From everywhere."""
    address = AddressFailures.of(ann.email, NOW)
    await cast.database.run(count_attempts, [], NOW, address)
    query = "update sign_in_failures set failures = %s where subject = %s returning id"
    await cast.row(query, MOST_AT_ADDRESS - 1, address.digest)
    await cast.database.run(count_attempts, [], NOW, address)


async def blocks_seen_by(cast: Cast, actor: Actor, search: str = "") -> list[Block]:
    state = replace(read_list_state(BLOCKS, {"q": search}), size=None)
    return (await cast.database.run(block_rows, actor.scope, NOW, state)).rows
