"""A team in the console: who is in it, and what its admins do."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from tests.authentication.members import key_file
from tests.cast import unique
from tests.console.conftest import Desk, Desks
from tonnage.access.actor import Actor, Role
from tonnage.members.actions import create_team_member
from tonnage.members.member import NewMember

pytestmark = pytest.mark.anyio

GOOD = "Choose-1-yourself"


@pytest.fixture
async def distributor(desks: Desks) -> Actor:
    return await desks.house.cast.distributor()


@pytest.fixture
async def admin(desks: Desks, distributor: Actor) -> Desk:
    return await desks.of(distributor)


async def colleague(desks: Desks, actor: Actor, role: Role = Role.STAFF, name: str = "Ann") -> UUID:
    email = f"{unique('ann').replace(' ', '')}@example.org"
    now = desks.house.clock.now
    new = NewMember(email, role, "no hash", name)
    await desks.house.cast.database.run(create_team_member, actor, new, now)
    (member_id,) = await desks.house.cast.row("select id from member where email = %s", email)
    return member_id


async def role_of(desks: Desks, member_id: UUID) -> str | None:
    row = await desks.house.cast.row("select (select role from member where id = %s)", member_id)
    return row[0]


async def test_a_member_is_added_and_in_the_list(desks: Desks, admin: Desk) -> None:
    email = f"{unique('new').replace(' ', '')}@example.org"
    fields = {"email": email, "name": "<i>Ann</i>", "role": "staff", "password": GOOD}
    made = await admin.send("/team/new", fields)
    assert (made.status_code, made.headers["location"]) == (303, "/team")
    listed = await admin.get("/team")
    assert "&lt;i&gt;Ann&lt;/i&gt;" in listed.text
    assert email in listed.text
    (stored,) = await desks.house.cast.row("select password_hash from member where email = %s", email)
    assert await desks.house.app.state.services.passwords.verify(stored, GOOD)


async def test_a_refused_member_keeps_what_was_typed_but_the_password(admin: Desk) -> None:
    refused = await admin.send("/team/new", {"email": "nobody", "name": "Ann", "role": "staff", "password": "short"})
    assert refused.status_code == 422
    assert 'id="email-error"' in refused.text
    assert 'id="password-error"' in refused.text
    assert 'value="nobody"' in refused.text
    assert 'value="Ann"' in refused.text
    assert 'value="staff" checked' in refused.text
    assert "short" not in refused.text
    taken = await admin.send("/team/new", {"email": admin.email, "role": "viewer", "password": GOOD})
    assert taken.status_code == 409
    assert 'id="email-error"' in taken.text


async def test_name_and_role_are_changed(desks: Desks, distributor: Actor, admin: Desk) -> None:
    ann = await colleague(desks, distributor)
    changed = await admin.send(f"/team/{ann}", {"name": "Ann Miller", "role": "viewer"})
    assert changed.status_code == 303
    assert await role_of(desks, ann) == "viewer"
    assert "Ann Miller" in (await admin.get("/team")).text


async def test_the_only_admin_can_neither_be_demoted_nor_removed(desks: Desks, admin: Desk) -> None:
    demoted = await admin.send(f"/team/{admin.member_id}", {"name": "Me", "role": "viewer"})
    assert demoted.status_code == 409
    assert 'id="role-error"' in demoted.text
    assert "This is the only admin" in demoted.text
    assert 'value="Me"' in demoted.text
    removed = await admin.send(f"/team/{admin.member_id}/removal")
    assert removed.status_code == 409
    assert "This is the only admin" in removed.text
    assert await role_of(desks, admin.member_id) == "admin"


async def test_who_is_no_admin_any_more_goes_to_a_page_that_opens(
    desks: Desks, distributor: Actor, admin: Desk
) -> None:
    await colleague(desks, distributor, Role.ADMIN)
    demoted = await admin.send(f"/team/{admin.member_id}", {"role": "viewer"})
    assert (demoted.status_code, demoted.headers["location"]) == (303, "/distributor/partners")


async def test_a_member_is_removed_after_a_question(desks: Desks, distributor: Actor, admin: Desk) -> None:
    ann = await colleague(desks, distributor)
    asked = await admin.get(f"/team/{ann}/removal")
    assert "Ann is signed out everywhere at once" in asked.text
    assert await role_of(desks, ann) == "staff"
    assert (await admin.send(f"/team/{ann}/removal")).headers["location"] == "/team"
    assert await role_of(desks, ann) is None
    assert (await admin.get(f"/team/{ann}")).status_code == 404


async def test_a_new_password_ends_the_members_sessions(desks: Desks, distributor: Actor, admin: Desk) -> None:
    staff = await desks.of(distributor, Role.STAFF)
    path = f"/team/{staff.member_id}/password"
    weak = await admin.send(path, {"password": "too-weak"})
    assert weak.status_code == 422
    assert 'id="password-error"' in weak.text
    assert "too-weak" not in weak.text
    assert (await staff.get("/distributor/partners")).status_code == 200
    assert (await admin.send(path, {"password": GOOD})).status_code == 303
    assert (await staff.get("/distributor/partners")).headers["location"].startswith("/sign-in")


async def test_ones_own_password_is_not_set_here(admin: Desk) -> None:
    refused = await admin.send(f"/team/{admin.member_id}/password", {"password": GOOD})
    assert refused.status_code == 409
    assert 'id="password-error"' in refused.text


async def test_a_lost_second_factor_is_reset(desks: Desks, distributor: Actor, admin: Desk) -> None:
    staff = await desks.of(distributor, Role.STAFF)
    await desks.house.cast.row("update member set factor_since = now() where id = %s returning id", staff.member_id)
    assert "Reset second factor" in (await admin.get(f"/team/{staff.member_id}")).text
    asked = await admin.get(f"/team/{staff.member_id}/second-factor")
    assert "all sessions end" in asked.text
    assert (await admin.send(f"/team/{staff.member_id}/second-factor")).status_code == 303
    row = await desks.house.cast.row("select factor_since from member where id = %s", staff.member_id)
    assert row == (None,)
    assert (await staff.get("/distributor/partners")).status_code == 303


async def test_only_admins_open_the_team(desks: Desks, distributor: Actor) -> None:
    for role in (Role.VIEWER, Role.STAFF):
        desk = await desks.of(distributor, role)
        assert (await desk.get("/team")).status_code == 403
        assert (await desk.get("/team/new")).status_code == 403
        assert (await desk.get(f"/team/{desk.member_id}")).status_code == 403


async def test_a_strangers_and_a_partners_member_are_not_found(desks: Desks, distributor: Actor, admin: Desk) -> None:
    stranger = await colleague(desks, await desks.house.cast.distributor())
    contract = await desks.house.cast.contract(distributor)
    partner = await desks.house.cast.partner(distributor, contract)
    for member in (stranger, await colleague(desks, partner)):
        for path in ("", "/password", "/second-factor", "/removal"):
            assert (await admin.get(f"/team/{member}{path}")).status_code == 404, path


async def test_a_second_factor_is_required_of_everybody_and_not_any_more(
    desks: Desks, distributor: Actor, admin: Desk, tmp_path: Path
) -> None:
    app, organisation = desks.house.app, distributor.organisation_id
    app.state.services = replace(app.state.services, key_file=key_file(tmp_path))
    await desks.house.cast.row("update member set factor_since = now() where id = %s returning id", admin.member_id)
    for wanted, linked in (("required", "optional"), ("optional", "required")):
        assert (await admin.send(f"/team/second-factor/{wanted}")).status_code == 303
        query = "select second_factor_required from organisation where id = %s"
        assert await desks.house.cast.row(query, organisation) == (wanted == "required",)
        assert f'href="/team/second-factor/{linked}"' in (await admin.get("/team")).text


async def test_it_is_not_required_where_nobody_could_make_one(admin: Desk) -> None:
    listed = await admin.get("/team")
    assert "/team/second-factor/required" not in listed.text
    assert "TONNAGE_SECRET_KEY_FILE" in listed.text
    for refused in (
        await admin.get("/team/second-factor/required"),
        await admin.post("/team/second-factor/required"),
    ):
        assert refused.status_code == 409
        assert "TONNAGE_SECRET_KEY_FILE" in refused.text
