"""What could give others access needs a proof of who sends it, and what was typed is not lost meanwhile."""

import html
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from pyotp.totp import TOTP

from tests.api.conftest import AppClient, account_data
from tests.authentication.members import OTHER_WORD, WORD, cheap, key_file
from tests.cast import unique
from tests.console.browsers import Browser
from tests.console.html_forms import form_of
from tests.console.posts import NEEDS_PROOF, POSTS, Post
from tests.console.test_audited_posts import ENTRIES, prepare, values_of
from tests.unchanged import unchanged
from tonnage import sealing
from tonnage.access.actor import Actor, Kind, Role
from tonnage.authentication.session import REAUTHENTICATE_AFTER
from tonnage.web import kept_form

pytestmark = pytest.mark.anyio

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

GRANTS = """
    select count(*) from audit_entry where actor_kind = 'member' and actor_id = %s and (
        action in ('member.set-password', 'member.reset-second-factor', 'organisation.lock', 'distributor.close')
        or (action in ('member.create', 'member.update', 'key.create') and after->>'role' = 'admin')
        or (action = 'organisation.require-second-factor' and after->>'required' = 'false'))"""
"""What a session alone must not be enough for."""


async def stale(client: AppClient, actor: Actor, name: str | None = None) -> Browser:
    """A session in which the last proof is older than ten minutes. The member's password is WORD, and its second factor
    would have the seed SEED.
    """
    browser = await client.sign_in(actor, name=name)
    hashed = await cheap().hash(WORD)
    await client.cast.row("update member set password_hash = %s where id = %s returning id", hashed, browser.member_id)
    keys = client.app.state.services.key_file
    if keys:
        await client.cast.database.transaction(sealing.store, keys, f"totp/{browser.member_id}", SEED.encode())
    client.clock.now += REAUTHENTICATE_AFTER
    return browser


async def opened(post: Post, client: AppClient, keys: Path) -> tuple[Browser, str, dict[str, str]]:
    """The sender, the path and the fields of a form that could be sent."""
    client.app.state.services = replace(client.app.state.services, key_file=key_file(keys))
    data = await account_data(client)
    actor = {Kind.OPERATOR: client.cast.operator, Kind.DISTRIBUTOR: data.distributor}.get(post.kind, data.partner)
    browser = await stale(client, actor)
    values = await values_of(client, data, post, browser)
    if post.after:
        await prepare(client, post.after, values)
    path = post.path.format(**values)
    page = await browser.get(path)
    hidden = {name: html.unescape(text) for name, text in _HIDDEN.findall(page.text) if name != kept_form.FIELD}
    fields = {name: text.format(**values) for name, text in post.fields.items()}
    return browser, path, {**hidden, **fields}


@pytest.mark.parametrize("post", [post for post in POSTS if post.path in NEEDS_PROOF], ids=lambda post: post.path)
async def test_it_asks_and_goes_on_with_what_was_sent(post: Post, client: AppClient, tmp_path: Path) -> None:
    browser, path, fields = await opened(post, client, tmp_path)
    fields |= NEEDS_PROOF[post.path]
    before = await client.cast.row(ENTRIES, browser.member_id)
    async with unchanged(client.cast.database):
        asked = await browser.post(path, fields)
    assert asked.status_code == 403
    form = form_of(asked.text, path)
    assert form.names == {"proof"}
    # Nothing that was typed stands in the page, least of all a password.
    assert not [text for text in post.fields.values() if len(text) > 5 and text in asked.text]
    wrong = await browser.submit(path, {**form.fields, "proof": OTHER_WORD})
    assert wrong.status_code == 422
    assert "wrong" in form_of(wrong.text, path).errors["proof-error"]
    assert await client.cast.row(ENTRIES, browser.member_id) == before
    # The form's own preparation may have given the sender a second factor.
    has_factor = "select second_factor_enabled_at is not null from member where id = %s"
    proof = TOTP(SEED).at(client.clock.now) if await client.cast.row(has_factor, browser.member_id) == (True,) else WORD
    done = await browser.submit(path, {**form_of(wrong.text, path).fields, "proof": proof})
    assert done.status_code in {200, 303}, done.text
    assert await client.cast.row(ENTRIES, browser.member_id) > before
    assert await client.cast.row(GRANTS, browser.member_id) != (0,)


@pytest.mark.parametrize("post", POSTS, ids=lambda post: post.path)
async def test_no_form_gives_access_without_a_proof(post: Post, client: AppClient, tmp_path: Path) -> None:
    """With any fields; forms that need no proof are not interrupted."""
    browser, path, fields = await opened(post, client, tmp_path)
    sent = await browser.post(path, {**fields, "role": "admin"})
    assert await client.cast.row(GRANTS, browser.member_id) == (0,)
    assert (sent.status_code == 403) == (post.path in NEEDS_PROOF), sent.text


async def colleague(client: AppClient, actor: Actor) -> UUID:
    return (await client.sign_in(actor, Role.STAFF)).member_id


@pytest.fixture
async def distributor(client: AppClient) -> Actor:
    return await client.cast.distributor()


@pytest.fixture
async def admin(client: AppClient, distributor: Actor) -> Browser:
    return await stale(client, distributor)


async def ask(client: AppClient, admin: Browser, distributor: Actor) -> tuple[str, httpx.Response]:
    """A form that was interrupted."""
    path = f"/team/{await colleague(client, distributor)}/password"
    asked = await admin.post(path, {"password": OTHER_WORD})
    assert asked.status_code == 403
    return path, asked


async def test_a_proof_is_good_for_ten_minutes(client: AppClient, admin: Browser, distributor: Actor) -> None:
    path, asked = await ask(client, admin, distributor)
    assert (await admin.submit(path, {**form_of(asked.text, path).fields, "proof": WORD})).status_code == 303
    for after, status in ((REAUTHENTICATE_AFTER - timedelta(seconds=1), 303), (timedelta(seconds=1), 403)):
        client.clock.now += after
        assert (await admin.post(path, {"password": WORD})).status_code == status


async def test_a_kept_form_is_of_no_use_elsewhere(client: AppClient, admin: Browser, distributor: Actor) -> None:
    path, asked = await ask(client, admin, distributor)
    kept = form_of(asked.text, path).fields[kept_form.FIELD]
    thief = await stale(client, distributor, "Thief")
    fields = {kept_form.FIELD: kept, "proof": WORD}
    for browser, where in ((admin, path.replace("password", "second-factor")), (thief, path)):
        refused = await browser.post(where, fields)
        assert refused.status_code == 403
        assert "does not belong to your current session" in refused.text
    for broken in ("", "x", kept[:-2], kept.swapcase()):
        assert (await admin.post(path, {**fields, kept_form.FIELD: broken})).status_code == 403
    assert await client.cast.row(GRANTS, admin.member_id) == (0,)


async def test_a_proof_alone_does_nothing(client: AppClient, admin: Browser, distributor: Actor) -> None:
    path = f"/team/{await colleague(client, distributor)}/password"
    async with unchanged(client.cast.database):
        assert (await admin.post(path, {"password": OTHER_WORD, "proof": WORD})).status_code == 403


async def test_failed_proofs_count_as_failed_sign_ins(client: AppClient, admin: Browser, distributor: Actor) -> None:
    path, asked = await ask(client, admin, distributor)
    fields = form_of(asked.text, path).fields
    wrong = {**fields, "proof": "wrong"}
    # The tenth defers a mail to the member.
    statuses = [(await admin.http.post(path, data=wrong)).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]
    blocked = await admin.submit(path, {**fields, "proof": WORD})
    assert blocked.status_code == 429
    assert blocked.headers["retry-after"] == "60"
    assert form_of(blocked.text, path).fields.keys() == fields.keys()
    # An empty field is no try.
    client.clock.now += timedelta(minutes=1)
    assert (await admin.submit(path, {**fields, "proof": ""})).status_code == 403
    assert (await admin.submit(path, {**fields, "proof": WORD})).status_code == 303


async def test_who_has_a_second_factor_proves_with_a_code(
    client: AppClient, distributor: Actor, tmp_path: Path
) -> None:
    client.app.state.services = replace(client.app.state.services, key_file=key_file(tmp_path))
    admin = await stale(client, distributor)
    enrolled = "update member set second_factor_enabled_at = %s where id = %s returning id"
    await client.cast.row(enrolled, client.clock.now, admin.member_id)
    path, asked = await ask(client, admin, distributor)
    assert "authenticator app" in asked.text
    fields = form_of(asked.text, path).fields
    wrong = await admin.submit(path, {**fields, "proof": WORD})
    assert wrong.status_code == 422
    code = TOTP(SEED).at(client.clock.now)
    assert (await admin.submit(path, {**fields, "proof": code})).status_code == 303
    # A code works once.
    client.clock.now += REAUTHENTICATE_AFTER
    asked = await admin.post(path, {"password": OTHER_WORD})
    again = await admin.submit(path, {**form_of(asked.text, path).fields, "proof": code})
    assert again.status_code == 422


async def test_a_session_that_ended_meanwhile_proves_nothing(
    client: AppClient, admin: Browser, distributor: Actor
) -> None:
    path, asked = await ask(client, admin, distributor)
    await client.cast.row("delete from session where member_id = %s returning id", admin.member_id)
    sent = await admin.submit(path, {**form_of(asked.text, path).fields, "proof": WORD})
    assert sent.headers["location"].startswith("/sign-in")


async def test_an_admin_who_stays_one_is_renamed_without_a_proof(client: AppClient, distributor: Actor) -> None:
    other = await client.sign_in(distributor)
    admin = await stale(client, distributor)
    assert (await admin.send(f"/team/{other.member_id}", {"name": unique("Ann"), "role": "admin"})).status_code == 303
