"""Passwords at sign-in: right, wrong, and that no reply discloses whether an address exists."""

import asyncio
from datetime import timedelta
from typing import Literal

import pytest
from argon2 import PasswordHasher

from tests.authentication.members import OTHER_WORD, WORD, Person, cheap, client, person
from tests.cast import NOW, Cast
from tonnage.access.actor import Role
from tonnage.authentication import credential_actions, session_queries
from tonnage.authentication.session import ClientInfo
from tonnage.authentication.sign_in_actions import WRONG_PASSWORD, sign_in
from tonnage.db import Database
from tonnage.email_address import email_key
from tonnage.errors import Unauthenticated
from tonnage.passwords import Passwords

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ann(cast: Cast) -> Person:
    return await person(cast, await cast.distributor())


async def refused(database: Database, email: str, password: str, at: ClientInfo | None = None) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        await sign_in(database, cheap(), email, password, at or client(), NOW)
    return str(refusal.value)


async def test_wrong_password_and_unknown_address_have_the_same_reply(ann: Person) -> None:
    for email, password in [
        (ann.email, "wrong"),
        (ann.email, ""),
        (ann.email, WORD + "\0"),
        (ann.email, WORD.lower()),
        (ann.email, "\udcff"),
        ("nobody@example.org", WORD),
        ("", ""),
        ("\0\udcff' or 1=1", WORD),
    ]:
        assert await refused(ann.database, email, password) == WRONG_PASSWORD


async def test_the_address_may_be_typed_in_any_case_and_with_spaces(ann: Person) -> None:
    assert await sign_in(ann.database, cheap(), f" {ann.email.upper()} ", WORD, client(), NOW)


async def test_an_unknown_address_costs_the_same_hashing(ann: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []

    class RecordingHasher(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            verified.append(str(hash).split("$")[3])
            return super().verify(hash, password)

    passwords = Passwords(RecordingHasher(time_cost=1, memory_cost=8, parallelism=1))
    for email in (ann.email, "nobody@example.org"):
        with pytest.raises(Unauthenticated):
            await sign_in(ann.database, passwords, email, "wrong", client(), NOW)
    assert len(verified) == 2
    assert verified[0] == verified[1] == "m=8,t=1,p=1"


async def test_nobody_signs_in_to_a_closed_organisation(ann: Person, cast: Cast) -> None:
    await cast.row("update organisation set closed_at = now() where id = %s returning id", ann.actor.organisation_id)
    assert await refused(ann.database, ann.email, WORD) == WRONG_PASSWORD


async def test_an_old_hash_is_made_anew(ann: Person, cast: Cast) -> None:
    newer = Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    await sign_in(ann.database, newer, ann.email, WORD, ann.client, NOW)
    stored = (await cast.row("select password_hash from member where id = %s", ann.id))[0]
    assert "m=8,t=2,p=1" in stored
    assert await newer.verify(stored, WORD)


async def test_a_new_password_ends_the_other_sessions(ann: Person) -> None:
    others = [(await ann.sign_in()).token for _ in range(3)]
    own = (await ann.sign_in()).token
    visitor = await ann.visit(own)
    assert visitor
    changed = await credential_actions.change_own_password(
        ann.database, cheap(), visitor, WORD, OTHER_WORD, ann.client, NOW
    )
    assert await ann.visit(own) is None
    kept = await ann.visit(changed.token)
    assert kept
    assert kept.session_id == visitor.session_id
    assert [await ann.visit(token) for token in others] == [None, None, None]
    assert await refused(ann.database, ann.email, WORD) == WRONG_PASSWORD
    assert await ann.sign_in(OTHER_WORD)


async def test_a_new_password_requires_the_present_one(ann: Person) -> None:
    visitor = await ann.signed_in_member()
    with pytest.raises(Unauthenticated, match="current password is wrong"):
        await credential_actions.change_own_password(
            ann.database, cheap(), visitor, "wrong", OTHER_WORD, ann.client, NOW
        )
    assert await ann.sign_in(WORD)


async def test_a_password_set_by_an_admin_ends_all_sessions(ann: Person, cast: Cast) -> None:
    bob = await person(cast, ann.actor, Role.VIEWER)
    token = (await bob.sign_in()).token
    password_hash = await cheap().hash(OTHER_WORD)
    await ann.database.run(credential_actions.set_password, ann.actor, ann.actor.organisation_id, bob.id, password_hash)
    assert await bob.visit(token) is None
    assert await bob.sign_in(OTHER_WORD)


async def test_no_session_outlives_a_password_change_that_came_at_the_same_moment(ann: Person, cast: Cast) -> None:
    bob = await person(cast, ann.actor)
    for turn in range(8):
        old, new = (WORD, OTHER_WORD) if turn % 2 == 0 else (OTHER_WORD, WORD)
        password_hash = await cheap().hash(new)

        async def entering(old: str = old) -> str | None:
            try:
                return (await bob.sign_in(old, at=client())).token
            except Unauthenticated:
                return None

        *tokens, _ = await asyncio.gather(
            *(entering() for _ in range(4)),
            ann.database.run(
                credential_actions.set_password, ann.actor, ann.actor.organisation_id, bob.id, password_hash
            ),
        )
        assert [token for token in tokens if token and await bob.visit(token)] == []


async def test_many_sign_ins_of_one_member_at_once_all_succeed(ann: Person) -> None:
    signed_in = await asyncio.gather(*(ann.sign_in(at=client()) for _ in range(12)))
    assert len({one.token for one in signed_in}) == 12


async def test_the_last_sign_in_is_recorded(ann: Person, cast: Cast) -> None:
    await ann.sign_in(now=NOW + timedelta(hours=3))
    assert await cast.row("select last_signed_in_at from member where id = %s", ann.id) == (NOW + timedelta(hours=3),)


async def test_a_session_that_has_ended_sets_no_password(ann: Person) -> None:
    visitor = await ann.signed_in_member()
    assert await ann.database.run(session_queries.sign_out, ann.id, visitor.session_id, ann.actor.stamp)
    with pytest.raises(Unauthenticated, match="session has ended"):
        await credential_actions.change_own_password(ann.database, cheap(), visitor, WORD, OTHER_WORD, ann.client, NOW)
    assert await ann.sign_in(WORD)


def test_a_megabyte_of_combining_marks_is_normalised_quickly() -> None:
    # Python sorts such marks in quadratic time: more than a minute for all of these.
    marks = "\N{COMBINING GREEK YPOGEGRAMMENI}" * 80_000 + "\N{COMBINING GRAVE ACCENT BELOW}" * 80_000
    assert len(email_key(f"a{marks}")) <= 1000
