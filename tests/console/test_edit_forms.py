"""Stale forms: only the fields that the person changed are applied, and no other change is lost."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from tests.api.conftest import AccountData, AppClient
from tests.console.browsers import Browser
from tests.console.edits import CREATIONS, EDITS, NO_EDITS, PROFILE, Edit
from tests.console.html_forms import HtmlForm, form_of, forms_of
from tests.console.test_authorization import AUDIENCES, WITHOUT_SESSION, ids
from tonnage.access.actor import Actor, Kind, Role
from tonnage.billing_profiles.billing_profile import FIELDS as FIELDS_OF_PROFILE
from tonnage.web.edit_form import PREFIX

pytestmark = pytest.mark.anyio

__all__ = ["ids"]

FIELDS = [(route, name) for route, edit in EDITS.items() for name, change in edit.changes.items() if any(change.said)]
"""Fields in which two people can want different values; two changes of a flag always agree."""
PAIRS = [
    (route, name, other)
    for route, edit in EDITS.items()
    for name, other in zip(edit.changes, [*edit.changes][1:] + [*edit.changes][:1], strict=True)
    if name != other
]


SHOWS_NOTHING_YET = {
    "/distributor/partners/{partnerID}/move",
    "/keys/{keyID}/limit",
    "/operator/partners/{partnerID}/keys/{keyID}/limit",
}
"""Forms whose field begins empty, though their resource exists: the present value is no choice, or the default."""


@dataclass
class OpenedForm:
    """A resource with the path of its form, and two people who may change it."""

    client: AppClient
    edit: Edit
    path: str
    subject: object
    me: Browser
    other: Browser
    ids: dict[str, str]

    async def page(self, browser: Browser | None = None) -> HtmlForm:
        return form_of((await (browser or self.me).get(self.path)).text, self.path)

    async def send(self, browser: Browser, form: HtmlForm, *typed: dict[str, str]) -> httpx.Response:
        fields = dict(form.fields)
        for one in typed:
            fields |= {name: text.format(**self.ids) for name, text in one.items()}
        return await browser.submit(self.path, fields)

    async def values(self) -> dict[str, Any]:
        row = await self.client.cast.row(self.edit.query, self.subject)
        return dict(zip(self.edit.changes, row, strict=True))

    def expected(self, **changed: Any) -> dict[str, Any]:
        return {**{name: change.before for name, change in self.edit.changes.items()}, **changed}


OpenForm = Callable[[str], Any]


async def billing_of(client: AppClient, seller: Actor) -> None:
    profile = {FIELDS_OF_PROFILE[name]: before for name, (before, _, _) in PROFILE.items() if before}
    inserted = """
        with s as (
            insert into seller_settings (organisation_id, colour, footer, number_format, changed_at)
            values (%(seller)s, '#000000', 'Before', 'A-{number}', now())
        )
        insert into billing_profile (keeper_id, organisation_id, profile, changed_at)
        values (%(seller)s, %(seller)s, %(profile)s::jsonb, now())"""

    async def insert(conn: Any) -> None:
        await conn.execute(inserted, {"seller": seller.organisation_id, "profile": json.dumps(profile)})

    await client.cast.database.run(insert)


@pytest.fixture
async def open_form(client: AppClient, data: AccountData, ids: dict[str, str]) -> OpenForm:
    cast = client.cast
    for table, id_, column in (
        ("contract", data.contract, "details"),
        ("organisation", data.partner.organisation_id, "name"),
        ("storage_account", data.account, "name"),
        ("member", data.member, "name"),
    ):
        await cast.row(f"update {table} set {column} = 'Before', name_key = 'before' where id = %s returning id", id_)
    await billing_of(client, data.partner)
    actors = {Kind.OPERATOR: cast.operator, Kind.DISTRIBUTOR: data.distributor, Kind.PARTNER: data.partner}

    async def open_(route: str) -> OpenedForm:
        edit = EDITS[route]
        actor = actors[edit.kind]
        me = await client.sign_in(actor, edit.role)
        other = me if edit.by_self else await client.sign_in(actor, Role.ADMIN, "Colleague & Co")
        if "contract" in edit.changes:
            for whose in ("Mine", "Theirs"):
                ids[f"contract {whose}"] = str(await cast.contract(data.distributor, details=whose))
        subject = ids[edit.subject] if edit.subject else me.member_id
        if edit.by_self:
            await cast.row("update member set name = 'Before', name_key = 'before' where id = %s returning id", subject)
        return OpenedForm(client, edit, route.format(**ids), subject, me, other, ids)

    return open_


@pytest.mark.parametrize(("route", "name", "other"), PAIRS)
async def test_changes_of_two_people_in_different_fields_are_both_kept(
    open_form: OpenForm, route: str, name: str, other: str
) -> None:
    at: OpenedForm = await open_form(route)
    mine, theirs = at.edit.changes[name].mine, at.edit.changes[other].theirs
    stale = await at.page()
    assert (await at.send(at.other, await at.page(at.other), theirs[0])).status_code == 303
    assert (await at.send(at.me, stale, mine[0])).status_code == 303
    assert await at.values() == at.expected(**{name: mine[1], other: theirs[1]})


@pytest.mark.parametrize(("route", "name"), FIELDS)
async def test_a_concurrent_change_of_the_same_field_is_a_conflict(open_form: OpenForm, route: str, name: str) -> None:
    at: OpenedForm = await open_form(route)
    change = at.edit.changes[name]
    untouched = {other: one.theirs for other, one in at.edit.changes.items() if other != name}
    stale = await at.page()
    theirs = [change.theirs[0], *(typed for typed, _ in untouched.values())]
    assert (await at.send(at.other, await at.page(at.other), *theirs)).status_code == 303
    after = at.expected(**{name: change.theirs[1]}, **{other: value for other, (_, value) in untouched.items()})
    assert await at.values() == after

    refused = await at.send(at.me, stale, change.mine[0])
    assert refused.status_code == 409
    assert await at.values() == after
    assert "this was changed while you were editing it" in refused.text
    again = form_of(refused.text, at.path)
    error = again.errors[f"{name}-error"]
    assert error.startswith(f"Now {change.said[1]}"), error
    assert change.said[0] in error
    assert ("you in another window" if at.edit.by_self else "Colleague & Co") in error
    assert {f"{other}-note" for other in untouched} == {id_ for id_ in again.errors if id_.endswith("-note")}
    kept = {field: text.format(**at.ids) for field, text in change.mine[0].items()}
    assert {field: again.shown.get(field, "") for field in kept} == kept

    # Unchanged fields follow the present values, so that sending the form again replaces the one field alone.
    assert (await at.send(at.me, again)).status_code == 303
    assert await at.values() == {**after, name: change.mine[1]}


@pytest.mark.parametrize(("route", "name"), FIELDS)
async def test_of_two_concurrent_changes_one_is_a_conflict(open_form: OpenForm, route: str, name: str) -> None:
    """Both have read the row before either could write: their statements wait for a lock that the test holds."""
    at: OpenedForm = await open_form(route)
    change = at.edit.changes[name]
    cast = at.client.cast
    first, second = await at.page(), await at.page(at.other)
    waiting = """
        select count(*) from pg_stat_activity
        where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0"""
    async with cast.database.pool.connection() as conn, conn.transaction():
        await conn.execute(at.edit.lock, [at.subject])
        both = [
            asyncio.create_task(at.send(at.me, first, change.mine[0])),
            asyncio.create_task(at.send(at.other, second, change.theirs[0])),
        ]
        async with asyncio.timeout(30):
            while await cast.row(waiting) != (2,):
                assert not any(task.done() for task in both)
    answers = [answer.status_code for answer in await asyncio.gather(*both)]
    assert sorted(answers) == [303, 409]
    won = change.mine if answers[0] == 303 else change.theirs
    assert await at.values() == at.expected(**{name: won[1]})


@pytest.mark.parametrize(("route", "name"), FIELDS)
async def test_a_form_sent_twice_is_done_once(open_form: OpenForm, route: str, name: str) -> None:
    at: OpenedForm = await open_form(route)
    change = at.edit.changes[name]
    form = await at.page()
    entries = "select count(*) from audit_entry where subject_id = %s"
    assert (await at.send(at.me, form, change.mine[0])).status_code == 303
    counted = await at.client.cast.row(entries, str(at.subject))
    assert (await at.send(at.me, form, change.mine[0])).status_code == 303
    assert await at.values() == at.expected(**{name: change.mine[1]})
    assert await at.client.cast.row(entries, str(at.subject)) == counted


@pytest.mark.parametrize("route", EDITS)
async def test_a_form_without_original_values_changes_nothing(open_form: OpenForm, route: str) -> None:
    at: OpenedForm = await open_form(route)
    form = await at.page()
    before = await at.values()
    for broken in (
        {name: text for name, text in form.fields.items() if not name.startswith(PREFIX)},
        {name: "\0" if name.startswith(PREFIX) else text for name, text in form.fields.items()},
    ):
        typed = {field: text for change in at.edit.changes.values() for field, text in change.mine[0].items()}
        typed = {field: text.format(**at.ids) for field, text in typed.items()}
        refused = await at.me.submit(at.path, {**broken, **typed})
        assert refused.status_code == 422
        assert "this page is out of date" in refused.text
        assert await at.values() == before
        again = form_of(refused.text, at.path)
        assert (await at.page()).hidden.keys() == again.hidden.keys()
        assert {field: again.shown.get(field, "") for field in typed} == typed


@pytest.mark.parametrize("route", EDITS)
async def test_each_visible_field_has_an_original_value(open_form: OpenForm, route: str) -> None:
    at: OpenedForm = await open_form(route)
    form = await at.page()
    assert form.names
    assert {PREFIX + name for name in form.names} == {name for name in form.hidden if name.startswith(PREFIX)}
    assert set(at.edit.changes) == {name for name in form.names if not name.endswith("_unit")}
    page = (await at.me.get(at.path)).text
    assert f'action="{at.path}" autocomplete="off"' in page


async def test_each_form_of_the_console_is_of_one_kind_or_the_other(client: AppClient) -> None:
    posts = {
        route.path
        for route in client.app.routes
        if isinstance(route, APIRoute)
        and "POST" in (route.methods or ())
        and route.endpoint.__module__.startswith("tonnage.console.")
    }
    assert EDITS.keys() & NO_EDITS.keys() == set()
    assert posts == EDITS.keys() | NO_EDITS.keys()


async def test_every_filled_field_has_an_original_value(
    client: AppClient, data: AccountData, ids: dict[str, str]
) -> None:
    """On every page each field begins empty, unless the form creates a resource or carries its original values, or its
    revision."""
    await client.cast.row(
        "update storage_account set suspended_at = now(), suspension_reason = 'Late' where id = %s returning id",
        data.account,
    )
    await billing_of(client, data.partner)
    seen: set[str] = set()
    actors: list[Actor] = [client.cast.operator, data.distributor, data.partner]
    creations = {path.format(**ids) for path in CREATIONS}
    for actor in actors:
        browser = await client.sign_in(actor)
        for path in pages_of(client, actor.kind):
            for form in forms_of((await browser.get(path.format(**ids))).text):
                if form.is_post and form.action not in creations and "revision" not in form.hidden:
                    shown = {name for name, text in form.shown.items() if text}
                    assert {PREFIX + name for name in shown} <= form.hidden.keys(), (path, form)
                    seen |= {form.action} if shown else set()
    assert seen == {path.format(**ids) for path in EDITS.keys() - SHOWS_NOTHING_YET}


def pages_of(client: AppClient, kind: Kind) -> list[str]:
    return [
        route.path
        for route in client.app.routes
        if isinstance(route, APIRoute)
        and route.endpoint.__module__.startswith("tonnage.console.")
        and "GET" in (route.methods or ())
        and AUDIENCES.get("/" + route.path.split("/")[1]) in {None, kind}
        and not WITHOUT_SESSION.fullmatch(route.path)
    ]
