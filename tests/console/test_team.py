"""A team in the console: its members, and its admins' actions."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from tests.api.conftest import AppClient
from tests.authentication.members import key_file
from tests.cast import unique
from tests.console.browsers import Browser
from tests.console.test_authorization import session_of
from tonnage.access.actor import Actor, Role
from tonnage.members.actions import create_team_member
from tonnage.members.member import NewMember

pytestmark = pytest.mark.anyio

GOOD = "Choose-1-yourself"


@pytest.fixture
async def distributor(client: AppClient) -> Actor:
    return await client.cast.distributor()


@pytest.fixture
async def admin(client: AppClient, distributor: Actor) -> Browser:
    return await client.sign_in(distributor)


async def colleague(client: AppClient, actor: Actor, role: Role = Role.STAFF, name: str = "Ann") -> UUID:
    email = f"{unique('ann').replace(' ', '')}@example.org"
    now = client.clock.now
    new = NewMember(email, role, "no hash", name)
    await client.cast.database.run(create_team_member, actor, new, now)
    (member_id,) = await client.cast.row("select id from member where email = %s", email)
    return member_id


async def role_of(client: AppClient, member_id: UUID) -> str | None:
    row = await client.cast.row("select (select role from member where id = %s)", member_id)
    return row[0]


async def test_a_member_is_added_and_in_the_list(client: AppClient, admin: Browser) -> None:
    email = f"{unique('new').replace(' ', '')}@example.org"
    fields = {"email": email, "name": "<i>Ann</i>", "role": "staff", "password": GOOD}
    made = await admin.send("/team/new", fields)
    assert (made.status_code, made.headers["location"]) == (303, "/team")
    listed = await admin.get("/team")
    assert "&lt;i&gt;Ann&lt;/i&gt;" in listed.text
    assert email in listed.text
    (stored,) = await client.cast.row("select password_hash from member where email = %s", email)
    assert await client.app.state.services.passwords.verify(stored, GOOD)


async def test_a_refused_member_keeps_what_was_typed_but_the_password(admin: Browser) -> None:
    refused = await admin.send("/team/new", {"email": "nobody", "name": "Ann", "role": "staff", "password": "Zq9-7"})
    assert refused.status_code == 422
    assert 'id="email-error"' in refused.text
    assert 'id="password-error"' in refused.text
    assert 'value="nobody"' in refused.text
    assert 'value="Ann"' in refused.text
    assert 'value="staff" checked' in refused.text
    assert "Zq9-7" not in refused.text
    taken = await admin.send("/team/new", {"email": admin.email, "role": "viewer", "password": GOOD})
    assert taken.status_code == 409
    assert 'id="email-error"' in taken.text


async def test_name_and_role_are_changed(client: AppClient, distributor: Actor, admin: Browser) -> None:
    ann = await colleague(client, distributor)
    changed = await admin.send(f"/team/{ann}", {"name": "Ann Miller", "role": "viewer"})
    assert changed.status_code == 303
    assert await role_of(client, ann) == "viewer"
    assert "Ann Miller" in (await admin.get("/team")).text


async def test_the_only_admin_can_neither_be_demoted_nor_removed(client: AppClient, admin: Browser) -> None:
    demoted = await admin.send(f"/team/{admin.member_id}", {"name": "Me", "role": "viewer"})
    assert demoted.status_code == 409
    assert 'id="role-error"' in demoted.text
    assert "This is the only admin" in demoted.text
    assert 'value="Me"' in demoted.text
    removed = await admin.send(f"/team/{admin.member_id}/removal")
    assert removed.status_code == 409
    assert "This is the only admin" in removed.text
    assert await role_of(client, admin.member_id) == "admin"


async def test_a_former_admin_is_redirected_to_a_permitted_page(
    client: AppClient, distributor: Actor, admin: Browser
) -> None:
    await colleague(client, distributor, Role.ADMIN)
    demoted = await admin.send(f"/team/{admin.member_id}", {"role": "viewer"})
    assert (demoted.status_code, demoted.headers["location"]) == (303, "/distributor")


async def test_a_member_is_removed_after_a_question(client: AppClient, distributor: Actor, admin: Browser) -> None:
    ann = await colleague(client, distributor)
    asked = await admin.get(f"/team/{ann}/removal")
    assert "Ann is signed out everywhere immediately" in asked.text
    assert await role_of(client, ann) == "staff"
    assert (await admin.send(f"/team/{ann}/removal")).headers["location"] == "/team"
    assert await role_of(client, ann) is None
    assert (await admin.get(f"/team/{ann}")).status_code == 404


async def test_a_new_password_ends_the_members_sessions(client: AppClient, distributor: Actor, admin: Browser) -> None:
    staff = await client.sign_in(distributor, Role.STAFF)
    path = f"/team/{staff.member_id}/password"
    weak = await admin.send(path, {"password": "too-weak"})
    assert weak.status_code == 422
    assert 'id="password-error"' in weak.text
    assert "too-weak" not in weak.text
    assert (await staff.get("/distributor/partners")).status_code == 200
    assert (await admin.send(path, {"password": GOOD})).status_code == 303
    assert (await staff.get("/distributor/partners")).headers["location"].startswith("/sign-in")


async def test_ones_own_password_is_not_set_here(admin: Browser) -> None:
    refused = await admin.send(f"/team/{admin.member_id}/password", {"password": GOOD})
    assert refused.status_code == 409
    assert 'id="password-error"' in refused.text


async def test_a_lost_second_factor_is_reset(client: AppClient, distributor: Actor, admin: Browser) -> None:
    staff = await client.sign_in(distributor, Role.STAFF)
    await client.cast.row(
        "update member set second_factor_enabled_at = now() where id = %s returning id", staff.member_id
    )
    assert "Reset two-factor authentication" in (await admin.get(f"/team/{staff.member_id}")).text
    asked = await admin.get(f"/team/{staff.member_id}/second-factor")
    assert "ends all their sessions" in asked.text
    assert (await admin.send(f"/team/{staff.member_id}/second-factor")).status_code == 303
    row = await client.cast.row("select second_factor_enabled_at from member where id = %s", staff.member_id)
    assert row == (None,)
    assert (await staff.get("/distributor/partners")).status_code == 303


async def test_only_admins_open_the_team(client: AppClient, distributor: Actor) -> None:
    for role in (Role.VIEWER, Role.STAFF):
        browser = await client.sign_in(distributor, role)
        assert (await browser.get("/team")).status_code == 403
        assert (await browser.get("/team/new")).status_code == 403
        assert (await browser.get(f"/team/{browser.member_id}")).status_code == 403


async def test_other_organisations_members_are_not_found(client: AppClient, distributor: Actor, admin: Browser) -> None:
    stranger = await colleague(client, await client.cast.distributor())
    contract = await client.cast.contract(distributor)
    partner = await client.cast.partner(distributor, contract)
    for member in (stranger, await colleague(client, partner)):
        for path in ("", "/password", "/second-factor", "/removal"):
            assert (await admin.get(f"/team/{member}{path}")).status_code == 404, path


async def test_a_second_factor_is_required_of_everybody_and_not_any_more(
    client: AppClient, distributor: Actor, admin: Browser, tmp_path: Path
) -> None:
    app, organisation = client.app, distributor.organisation_id
    app.state.services = replace(app.state.services, key_file=key_file(tmp_path))
    await client.cast.row(
        "update member set second_factor_enabled_at = now() where id = %s returning id", admin.member_id
    )
    for wanted, linked in (("required", "optional"), ("optional", "required")):
        assert (await admin.send(f"/team/second-factor/{wanted}")).status_code == 303
        query = "select second_factor_required from organisation where id = %s"
        assert await client.cast.row(query, organisation) == (wanted == "required",)
        assert f'href="/team/second-factor/{linked}"' in (await admin.get("/team")).text


async def test_it_cannot_be_required_without_a_key_file(admin: Browser) -> None:
    listed = await admin.get("/team")
    assert "/team/second-factor/required" not in listed.text
    assert "TONNAGE_SECRET_KEY_FILE" in listed.text
    for refused in (
        await admin.get("/team/second-factor/required"),
        await admin.post("/team/second-factor/required"),
    ):
        assert refused.status_code == 409
        assert "TONNAGE_SECRET_KEY_FILE" in refused.text


async def test_sessions_of_the_team_are_seen_and_ended(client: AppClient, distributor: Actor, admin: Browser) -> None:
    staff = await client.sign_in(distributor, Role.STAFF, name="<i>Ann</i>")
    listed = await admin.get("/team/sessions")
    assert "&lt;i&gt;Ann&lt;/i&gt;" in listed.text
    assert listed.text.count("This session") == 1
    (session_id,) = await client.cast.row("select id from session where member_id = %s", staff.member_id)
    (own_id,) = await client.cast.row("select id from session where member_id = %s", admin.member_id)
    path = f"/team/sessions/{session_id}/end"
    assert f'href="{path}"' in listed.text
    assert f"{own_id}/end" not in listed.text
    asked = await admin.get(path)
    assert "192.0.2.1" in asked.text
    assert (await staff.get("/distributor/partners")).status_code == 200
    assert (await admin.send(path)).headers["location"] == "/team/sessions"
    assert (await staff.get("/distributor/partners")).headers["location"].startswith("/sign-in")
    assert (await admin.post(path)).status_code == 404


async def test_all_sessions_of_a_member_end_but_the_readers_own(
    client: AppClient, distributor: Actor, admin: Browser
) -> None:
    staff = await client.sign_in(distributor, Role.STAFF)
    assert (await admin.send(f"/team/{staff.member_id}/sessions/end")).status_code == 303
    assert (await staff.get("/distributor/partners")).status_code == 303
    await session_of(client, admin.member_id)
    assert "This one stays" in (await admin.get(f"/team/{admin.member_id}/sessions/end")).text
    assert (await admin.send(f"/team/{admin.member_id}/sessions/end")).status_code == 303
    query = "select count(*) from session where member_id = %s"
    assert await client.cast.row(query, admin.member_id) == (1,)
    assert (await admin.get("/team")).status_code == 200


async def test_staff_ends_no_sessions_of_a_partners_admin(client: AppClient, distributor: Actor) -> None:
    partner = await client.cast.partner(distributor, await client.cast.contract(distributor))
    members, staff = (
        f"/distributor/partners/{partner.organisation_id}/members",
        await client.sign_in(distributor, Role.STAFF),
    )
    boss, clerk = await client.sign_in(partner, Role.ADMIN), await client.sign_in(partner, Role.STAFF)
    sessions = f"/distributor/partners/{partner.organisation_id}/sessions"
    listed = await staff.get(sessions)
    for browser, status in ((boss, 403), (clerk, 303)):
        (session_id,) = await client.cast.row("select id from session where member_id = %s", browser.member_id)
        assert (f"{session_id}/end" in listed.text) == (status == 303)
        assert (await staff.post(f"{members}/{browser.member_id}/sessions/end")).status_code == status
        assert (await browser.get("/partner/accounts")).status_code == (200 if status == 403 else 303)
    (session_id,) = await client.cast.row("select id from session where member_id = %s", boss.member_id)
    assert (await staff.post(f"{sessions}/{session_id}/end")).status_code == 403
