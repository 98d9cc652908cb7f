"""The second factor from enrolment to removal and reset."""

import asyncio
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from pyotp.totp import TOTP

from tests.authentication.members import Person, client, key_file, person
from tests.cast import NOW, Cast, with_role
from tonnage import sealing
from tonnage.access.actor import Role
from tonnage.authentication import (
    credential_actions,
    second_factor_actions,
    second_factor_queries,
    session_queries,
    throttling,
)
from tonnage.authentication.session import SignedInMember, Stage
from tonnage.authentication.sign_in_actions import verify_code
from tonnage.errors import Conflict, Forbidden, Invalid, NotFound, Throttled, Unauthenticated, Unavailable
from tonnage.members import actions as member_actions

pytestmark = pytest.mark.anyio

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
async def ann(cast: Cast) -> Person:
    return await person(cast, await cast.distributor())


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return key_file(tmp_path)


def pending(visitor: SignedInMember) -> str:
    return f"totp-new/{visitor.session_id}"


async def waiting(ann: Person) -> str:
    """The token of a session that still requires the code."""
    signed_in = await ann.sign_in(now=LATER)
    assert signed_in.stage is Stage.CODE
    return signed_in.token


async def test_from_enrolment_to_the_next_sign_in(ann: Person, keys: Path) -> None:
    before = await ann.signed_in_member()
    app, codes, token = await ann.enrol(keys)
    assert len(codes) == 10
    visitor = await ann.visit(token)
    assert visitor
    assert visitor.has_second_factor
    # The sessions that were opened without the factor have ended.
    assert before.session_id != visitor.session_id
    assert await ann.database.run(second_factor_queries.recovery_codes_left, ann.id) == 10
    first = await waiting(ann)
    half = await ann.visit(first, LATER)
    assert half
    assert half.stage is Stage.CODE
    signed_in = await ann.give_code(keys, first, app.at(LATER), LATER)
    assert (signed_in.stage, signed_in.token != first) == (Stage.OPEN, True)
    assert await ann.visit(first, LATER) is None
    whole = await ann.visit(signed_in.token, LATER)
    assert whole
    assert (whole.stage, whole.session_id) == (Stage.OPEN, half.session_id)


async def test_the_code_must_follow_within_ten_minutes(ann: Person, keys: Path) -> None:
    await ann.enrol(keys)
    token = (await ann.sign_in(now=NOW)).token
    assert await ann.visit(token, NOW + timedelta(seconds=599))
    assert await ann.visit(token, NOW + timedelta(minutes=10)) is None


async def test_a_factor_is_required_only_once_confirmed(ann: Person, keys: Path, cast: Cast) -> None:
    visitor = await ann.signed_in_member()
    first = await ann.begin(keys, visitor)
    begun = await ann.begin(keys, visitor)
    assert begun.seed != first.seed
    assert await ann.database.run(second_factor_actions.pending_enrolment, keys, visitor) == begun
    code = TOTP(first.seed).at(NOW)
    with pytest.raises(Invalid) as refusal:
        await ann.database.transaction(second_factor_actions.confirm_enrolment, keys, visitor, code, NOW)
    assert [field.field for field in refusal.value.fields] == ["code"]
    assert (await ann.sign_in()).stage is Stage.OPEN
    sealed = (await cast.row("select ciphertext from sealed_secret where name = %s", pending(visitor)))[0]
    assert begun.seed.encode() not in sealed


async def test_a_session_that_has_ended_makes_none(ann: Person, keys: Path, cast: Cast) -> None:
    visitor = await ann.signed_in_member()
    begun = await ann.begin(keys, visitor)
    assert await ann.database.run(session_queries.sign_out, ann.id, visitor.session_id, ann.actor.stamp)
    code = TOTP(begun.seed).at(NOW)
    assert await cast.row("select count(*) from sealed_secret where name = %s", pending(visitor)) == (0,)
    with pytest.raises(Unauthenticated, match="session has ended"):
        await ann.begin(keys, visitor)
    with pytest.raises(Conflict, match="Start again"):
        await ann.database.transaction(second_factor_actions.confirm_enrolment, keys, visitor, code, NOW)
    assert (await ann.sign_in()).stage is Stage.OPEN


async def test_of_two_concurrent_enrolments_one_is_confirmed(ann: Person, keys: Path, cast: Cast) -> None:
    first, second = await ann.signed_in_member(), await ann.signed_in_member()
    apps = [TOTP((await ann.begin(keys, visitor)).seed) for visitor in (first, second)]
    shown = await ann.database.run(second_factor_actions.pending_enrolment, keys, first)
    assert shown
    assert shown.seed == apps[0].secret != apps[1].secret

    async def confirm(visitor: SignedInMember, app: TOTP) -> None:
        code = app.at(NOW)
        await ann.database.transaction(second_factor_actions.confirm_enrolment, keys, visitor, code, NOW)

    with pytest.raises(Invalid):
        await confirm(first, apps[1])
    await confirm(first, apps[0])
    with pytest.raises(Conflict):
        await confirm(second, apps[1])
    left = "select count(*) from sealed_secret where name in (%s, %s)"
    assert await cast.row(left, pending(first), pending(second)) == (0,)
    assert await ann.give_code(keys, await waiting(ann), apps[0].at(LATER), LATER)


async def test_a_session_is_not_enough_to_begin(ann: Person, keys: Path, cast: Cast) -> None:
    visitor = await ann.signed_in_member()
    for _ in range(9):
        with pytest.raises(Unauthenticated, match="current password"):
            await ann.begin(keys, visitor, "wrong")
    assert await cast.row("select count(*) from sealed_secret where name = %s", pending(visitor)) == (0,)
    assert await ann.begin(keys, visitor)  # the failures are cleared
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            await ann.begin(keys, visitor, "wrong")
    with pytest.raises(Throttled):
        await ann.begin(keys, visitor)


async def test_without_a_readable_key_file_no_try_is_counted(ann: Person, keys: Path, cast: Cast) -> None:
    app, _, _ = await ann.enrol(keys)
    token = await waiting(ann)
    # The earlier failure stays counted, and none is added.
    with pytest.raises(Unauthenticated):
        await ann.give_code(keys, token, "000000", LATER)
    missing = keys.with_name("missing.key")
    keys.with_name("open").mkdir()
    unreadable = key_file(keys.with_name("open"))
    unreadable.chmod(0o644)
    for _ in range(10):
        with pytest.raises(Unavailable):
            await ann.give_code(missing, token, app.at(LATER), LATER)
        with pytest.raises(Unavailable):
            await ann.give_code(unreadable, token, app.at(LATER), LATER)
        visitor = await ann.visit(token, LATER)
        assert visitor
        with pytest.raises(Conflict):
            await verify_code(ann.database, None, visitor, app.at(LATER), ann.client, LATER)
    subjects = [
        throttling.codes_of(ann.id).digest,
        throttling.email_and_client(ann.email, ann.client.address)[0].digest,
        throttling.client(ann.client.address)[0].digest,
    ]
    counted = "select array_agg(failures) from sign_in_throttle where subject = any(%s)"
    assert await cast.row(counted, subjects) == ([1, 1, 1],)
    assert await ann.give_code(keys, token, app.at(LATER), LATER)


async def test_without_keys_there_is_no_factor(ann: Person) -> None:
    visitor = await ann.signed_in_member()
    with pytest.raises(Conflict, match="TONNAGE_SECRET_KEY_FILE"):
        await ann.begin(None, visitor)


async def test_a_member_has_one_factor(ann: Person, keys: Path) -> None:
    _, _, token = await ann.enrol(keys)
    visitor = await ann.visit(token)
    assert visitor
    with pytest.raises(Conflict, match="already"):
        await ann.begin(keys, visitor)
    with pytest.raises(Conflict, match="Start again"):
        await ann.database.transaction(second_factor_actions.confirm_enrolment, keys, visitor, "000000", NOW)


async def test_no_code_is_taken_twice_nor_an_older_one(ann: Person, keys: Path) -> None:
    app, _, _ = await ann.enrol(keys)
    await ann.give_code(keys, await waiting(ann), app.at(LATER), LATER)
    for code in (app.at(LATER), app.at(LATER - timedelta(seconds=30))):
        with pytest.raises(Unauthenticated):
            await ann.give_code(keys, await waiting(ann), code, LATER)


async def test_the_code_of_the_enrolment_is_used_up(ann: Person, keys: Path) -> None:
    app, _, _ = await ann.enrol(keys)
    token = (await ann.sign_in()).token
    with pytest.raises(Unauthenticated):
        await ann.give_code(keys, token, app.at(NOW), NOW)


async def test_of_concurrent_uses_of_a_code_one_succeeds(ann: Person, keys: Path) -> None:
    app, codes, _ = await ann.enrol(keys)
    for code in (app.at(LATER), codes[0]):
        tokens = [await waiting(ann) for _ in range(6)]

        async def entering(token: str, code: str = code) -> bool:
            try:
                await ann.give_code(keys, token, code, LATER, at=client())
            except (Unauthenticated, Throttled):
                return False
            return True

        assert sum(await asyncio.gather(*map(entering, tokens))) == 1


async def test_a_recovery_code_works_once(ann: Person, keys: Path, cast: Cast) -> None:
    _, codes, _ = await ann.enrol(keys)
    assert (await ann.give_code(keys, await waiting(ann), codes[3].lower(), LATER)).stage is Stage.OPEN
    with pytest.raises(Unauthenticated):
        await ann.give_code(keys, await waiting(ann), codes[3], LATER)
    left = await ann.database.run(second_factor_queries.recovery_codes_left, ann.id)
    assert left == 9
    audited = "select count(*) from audit_entry where action = 'member.use-recovery-code' and subject_id = %s"
    assert await cast.row(audited, str(ann.id)) == (1,)


async def test_a_members_code_is_valid_for_that_member_only(ann: Person, keys: Path, cast: Cast) -> None:
    bob = await person(cast, ann.actor)
    app, codes, _ = await ann.enrol(keys)
    await bob.enrol(keys)
    for code in (app.at(LATER), codes[0]):
        with pytest.raises(Unauthenticated):
            await bob.give_code(keys, await waiting(bob), code, LATER)


async def test_new_recovery_codes_replace_the_old(ann: Person, keys: Path) -> None:
    app, old, token = await ann.enrol(keys)
    visitor = await ann.visit(token)
    assert visitor
    with pytest.raises(Unauthenticated):
        await credential_actions.renew_recovery_codes(ann.database, keys, visitor, "000000", ann.client, LATER)
    new = await credential_actions.renew_recovery_codes(ann.database, keys, visitor, app.at(LATER), ann.client, LATER)
    assert len(set(old) | set(new)) == 20
    with pytest.raises(Unauthenticated):
        await ann.give_code(keys, await waiting(ann), old[0], LATER)
    assert await ann.give_code(keys, await waiting(ann), new[0], LATER)


async def test_a_member_removes_its_factor_with_a_code_unless_required(ann: Person, keys: Path, cast: Cast) -> None:
    app, codes, token = await ann.enrol(keys)

    async def require(required: bool) -> None:
        await ann.database.run(second_factor_actions.require_second_factor, keys, ann.actor, required)

    async def remove(code: str) -> None:
        visitor = await ann.visit(token)
        assert visitor
        await credential_actions.remove_second_factor(ann.database, keys, visitor, code, ann.client, LATER)

    await require(True)
    with pytest.raises(Conflict, match="requires two-factor authentication"):
        await remove(app.at(LATER))
    await require(False)
    with pytest.raises(Unauthenticated):
        await remove("000000")
    await remove(app.at(LATER))  # the refusal has not used it up
    assert (await ann.sign_in(now=LATER)).stage is Stage.OPEN
    assert await cast.row("select count(*) from sealed_secret where name = %s", f"totp/{ann.id}") == (0,)
    assert await cast.row("select count(*) from recovery_code where member_id = %s", ann.id) == (0,)
    assert codes


async def test_only_admins_require_it_and_only_a_change_is_audited(ann: Person, keys: Path, cast: Cast) -> None:
    staff = with_role(ann.actor, Role.STAFF)
    with pytest.raises(Forbidden):
        await ann.database.run(second_factor_actions.require_second_factor, keys, staff, True)
    for required in (False, True, True):
        await ann.database.run(second_factor_actions.require_second_factor, keys, ann.actor, required)
    audited = await cast.row(
        "select count(*), max(before::text), max(after::text) from audit_entry"
        " where action = 'organisation.require-second-factor' and subject_id = %s",
        str(ann.actor.organisation_id),
    )
    assert audited == (1, '{"required": false}', '{"required": true}')


async def test_it_cannot_be_required_without_a_key_file(ann: Person, cast: Cast) -> None:
    with pytest.raises(Conflict, match="TONNAGE_SECRET_KEY_FILE"):
        await ann.database.run(second_factor_actions.require_second_factor, None, ann.actor, True)
    query = "select second_factor_required from organisation where id = %s"
    assert await cast.row(query, ann.actor.organisation_id) == (False,)
    await ann.database.run(second_factor_actions.require_second_factor, None, ann.actor, False)


async def test_an_admin_resets_it_for_another_whose_sessions_end(ann: Person, keys: Path, cast: Cast) -> None:
    bob = await person(cast, ann.actor, Role.VIEWER)
    _, _, token = await bob.enrol(keys)
    own = ann.actor.organisation_id
    with pytest.raises(Conflict, match="your own"):
        await ann.database.run(credential_actions.reset_second_factor, ann.actor, own, ann.id)
    with pytest.raises(Forbidden):
        await ann.database.run(credential_actions.reset_second_factor, with_role(ann.actor, Role.STAFF), own, bob.id)
    await ann.database.run(credential_actions.reset_second_factor, ann.actor, own, bob.id)
    assert await bob.visit(token) is None
    assert (await bob.sign_in(now=LATER)).stage is Stage.OPEN
    assert await cast.row("select count(*) from sealed_secret where name like %s", f"totp%/{bob.id}") == (0,)


async def test_a_distributor_resets_it_for_its_partners_members_only(ann: Person, cast: Cast) -> None:
    partner = await cast.partner(ann.actor, await cast.contract(ann.actor))
    bob = await person(cast, partner, Role.STAFF)
    staff = with_role(ann.actor, Role.STAFF)
    await ann.database.run(credential_actions.reset_second_factor, staff, partner.organisation_id, bob.id)
    stranger = await cast.distributor()
    for actor, organisation_id in [
        (stranger, partner.organisation_id),
        (stranger, stranger.organisation_id),
        (staff, uuid.uuid4()),
        (bob.actor, ann.actor.organisation_id),
    ]:
        with pytest.raises(NotFound):
            await ann.database.run(
                credential_actions.reset_second_factor, actor, organisation_id, ann.id if actor is bob.actor else bob.id
            )


async def test_the_seed_goes_with_the_member(ann: Person, keys: Path, cast: Cast) -> None:
    bob = await person(cast, ann.actor)
    begun = await bob.signed_in_member()
    await bob.begin(keys, begun)
    await ann.database.run(member_actions.delete_member, ann.actor, ann.actor.organisation_id, bob.id)
    assert await cast.row("select count(*) from sealed_secret where name = %s", pending(begun)) == (0,)
    bob = await person(cast, ann.actor)
    _, _, token = await bob.enrol(keys)
    await ann.database.run(member_actions.delete_member, ann.actor, ann.actor.organisation_id, bob.id)
    assert await bob.visit(token) is None
    assert await cast.row("select count(*) from sealed_secret where name like %s", f"totp%/{bob.id}") == (0,)


async def test_a_rotation_of_the_keys_keeps_it(ann: Person, keys: Path, cast: Cast) -> None:
    app, _, _ = await ann.enrol(keys)
    # Other tests' seeds in this database have other keys.
    sealed = (await cast.row("select ciphertext from sealed_secret where name = %s", f"totp/{ann.id}"))[0]
    assert sealing.read_keys(keys).open(sealed).decode() == app.secret
