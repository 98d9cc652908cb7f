"""Every page of every audience: reached by links, and without findings of axe or the browser."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import AUDIENCES, Demo, Enter, Tab
from tests.browser.journeys import expect_notice
from tests.browser.pages import crawl, picture_name, templates
from tests.browser.pictures import examine
from tests.browser.watch import watched
from tonnage.asgi import create_app
from tonnage.demo import scene

pytestmark = pytest.mark.browser

TEMPLATES = templates(create_app("host=nowhere", with_samples=True))

UNLINKED = {
    "/styleguide": "for whoever writes pages",
    "/distributor/partners/fees": "linked to by a list of more partners than the sample data has",
    "/distributor/fees": "linked to where there are more partners than the sample data has",
    "/distributor/movers": "linked to where there are more partners than the sample data has",
    "/operator/movers": "linked to where there are more partners than the sample data has",
    "/operator/regions-today": "linked to where there are more partners than the sample data has",
    "/team/second-factor/optional": "linked to where a second factor is required",
}
"""Pages without a link to them in the sample data, and why."""

ELSEWHERE = {
    "/": "redirects to the page that a member begins with",
    # Visited by the journeys of test_journeys_sign_in.py:
    "/profile/second-factor/setup": "a second factor must have been begun",
    "/sign-in/code": "the password must have been given",
    "/sign-in/forgotten/asked": "follows the form",
    "/sign-in/new-password": "its link comes by mail",
    "/sign-in/new-password/{token}": "redirects to that page",
    "/sign-in/device": "its link comes by mail",
    "/sign-in/device/{token}": "redirects to that page",
    "/unsubscribe/{token}": "its link comes by mail",
    "/unsubscribe/contact/{token}": "likewise",
    "/sign-in/link": "linked to after many failed attempts",
    "/sign-in/link/asked": "follows the form",
    # By a test below:
    "/distributor/partners/{partnerID}/delete": "the partner must have no accounts",
    "/statements/adjustments/new": "needs a buyer in its query",
    "/today/{section}": "linked to where a section has more rows than it shows",
    # By that of test_journeys_cluster.py:
    **{
        f"{accounts}/{{accountID}}/access-keys/{page}": "the region must have a cluster"
        for accounts in ("/partner/accounts", "/distributor/partners/{partnerID}/accounts")
        for page in ("new", "{accessKey}/delete")
    },
}
"""Pages that need more than a session, and why; the comments name their tests."""


_SUSPENDED = """
    update storage_account set suspended_at = now(), suspension_reason = 'Unpaid invoices' where seq % 2 = 0
"""

_OVERRIDDEN_ACCOUNTS = """
    with s as (
        update storage_account set override_capacity = allocated_capacity + 1, override_until = current_date + 20
        where allocated_capacity > 0 and purged_at is null and seq % 3 = 0 returning *
    ), v as (
        insert into capacity_override (account_id, capacity, valid_from, valid_until, is_free, reason)
        select id, override_capacity, now(), override_until, true, 'Migration' from s
    )
    update partner p set overrides_of_accounts = added
    from (select partner_id, count(*) as added from s group by partner_id) s where p.id = s.partner_id
"""
_OVERRIDDEN_PARTNERS = """
    with p as (
        update partner set override_capacity = allocated_capacity + 10, override_until = current_date + 20
        where allocated_capacity > 0 and closed_at is null returning *
    ), v as (
        insert into capacity_override (partner_id, capacity, valid_from, valid_until, is_free, reason)
        select id, override_capacity, now(), override_until, false, 'Season' from p
    )
    update contract k set allocated_capacity = k.allocated_capacity + added
    from (select contract_id, count(*) * 10 as added from p group by contract_id) p where k.id = p.contract_id
"""
_SUSPENDED_PARTNERS = """
    update partner set suspended_at = now(), suspension_reason = 'Unpaid invoices', suspension_cause = 'person'
    where distributor_id = %(distributor)s and id <> %(partner)s
"""

_LOCKED = """
    with m as (update member set locked_at = now() where role = 'viewer'), o as (
        insert into organisation (kind, name, name_key) values ('distributor', 'Late Payers', 'late payers')
        returning id
    ), p as (
        select id from partner where distributor_id = %(distributor)s and id <> %(partner)s and seq %% 2 = 0
    )
    update organisation set locked_at = now(), locked_by_id = %(distributor)s, lock_reason = 'Unpaid invoices'
    from p where organisation.id = p.id
"""
_SIGNED_IN = """
    insert into session (member_id, digest, stage, created_at, last_seen_at, ip_address, user_agent)
    select id, sha256(id::text::bytea), 'open', now() - interval '2 hours', now(), '198.51.100.20',
        'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
    from member
"""
_BLOCKED = """
    insert into sign_in_throttle (subject, failures, last_failed_at, blocked_until, kind, network, member_id)
    select sha256(id::text::bytea), 12, now(), now() + interval '1 hour', 'pair', '198.51.100.20', id from member
"""
_PRICED = """
    with b as (
        insert into price_book (seller_id, name, name_key, currency, is_default, created_at, last_version)
        select id, 'Standard', 'standard', 'EUR', false, now(), 2 from organisation where kind <> 'operator'
        returning id
    )
    insert into price_version (book_id, number, valid_from, reserved, excess, tiers, prorate_minimums, created_at)
    select id, number, current_date - number, 0.69, 1, tiers::jsonb, true, now()
    from b, (values (1, null), (2, '{"on": "payPerUse", "mode": "volume", "bands": [
        {"upToGb": 100000, "price": "1.2"}, {"price": "1"}]}')) as v (number, tiers)
"""
_PUBLISHED = "update price_version set published_at = now(), publication = 1 where number = 1 and published_at is null"
_TAXED = """
    insert into tax_rate (organisation_id, valid_from, percent)
    select id, '2026-01-01', 19 from organisation where kind = 'distributor'
"""
_LOCKED_DISTRIBUTOR = """
    update organisation set locked_at = now(), lock_reason = 'Unpaid invoices',
        locked_by_id = (select id from organisation where kind = 'operator')
    where name = 'Late Payers'
"""
_HOOKED = """
    with w as (
        insert into webhook_endpoint (
            organisation_id, url, description, types, created_at, public_key, failing_since)
        select id, 'https://tickets.example.com/hooks/tonnage', 'Tickets',
            '{account.over_allocation,key.expiring}',
            now() - interval '9 days', 'whpk_fDUKVQJ9v4d0zYh3GEAP0jCGqJ4pDcVSpyZ6R8e3W7A=',
            now() - interval '2 hours'
        from organisation returning id
    ), s as (
        insert into webhook_secret (endpoint_id, created_at)
        select id, now() - n * interval '1 day' from w, generate_series(1, 2) n
    )
    insert into webhook_delivery (endpoint_id, event_id, type, created_at, due_at, attempts, attempted_at,
        milliseconds, status, detail, delivered_at)
    select id, gen_random_uuid(), type, now() - interval '1 hour', due, attempts, now() - interval '1 hour', 212,
        status, detail, delivered
    from w, (values ('account.over_allocation', null::timestamptz, 1, 204, '', now()),
        ('key.expiring', now() + interval '2 hours', 4, 503, 'Service unavailable', null),
        ('key.expiring', null, 10, null, 'no response within 15 seconds', null))
        as d (type, due, attempts, status, detail, delivered)
"""


@pytest.fixture(scope="module")
def demo(demo: Demo) -> Demo:
    """With what the sample data lacks: tax rates, webhooks, drafts of prices, sessions and blocks; every other account
    is suspended, every other partner locked. So few visits find each kind.
    """
    distributor = scene.DISTRIBUTOR
    known = {"distributor": distributor.id, "partner": distributor.contracts[0].partners[0].id}
    with psycopg.connect(demo.settings["TONNAGE_DATABASE_URL"]) as conn:
        assert conn.execute(_SUSPENDED).rowcount > 3
        assert conn.execute(_OVERRIDDEN_PARTNERS).rowcount > 0
        assert conn.execute(_OVERRIDDEN_ACCOUNTS).rowcount > 0
        assert conn.execute(_SUSPENDED_PARTNERS, known).rowcount > 0
        assert conn.execute(_LOCKED, known).rowcount > 0
        assert conn.execute(_PRICED).rowcount > 3
        assert conn.execute(_PUBLISHED).rowcount > 1
        assert conn.execute(_TAXED).rowcount > 1
        assert conn.execute(_LOCKED_DISTRIBUTOR).rowcount == 1
        assert conn.execute(_SIGNED_IN).rowcount > 3
        assert conn.execute(_BLOCKED).rowcount > 3
        assert conn.execute(_HOOKED).rowcount > 3
    return demo


@contextmanager
def second_factors(demo: Demo) -> Generator[None]:
    """During the block every member has one: those signed in, and those whose admins could reset it."""
    with psycopg.connect(demo.settings["TONNAGE_DATABASE_URL"], autocommit=True) as conn:
        conn.execute("update member set second_factor_enabled_at = now()")
        try:
            yield
        finally:
            conn.execute("update member set second_factor_enabled_at = null")


def audience_of(template: str) -> str:
    first = template.split("/")[1]
    if first in AUDIENCES:
        return first
    # Pages of all audiences are visited in the distributor's session.
    return "guest" if first in {"sign-in", "styleguide"} else "distributor"


def templates_of(audience: str) -> list[str]:
    return [path for path in TEMPLATES if audience_of(path) == audience and path not in ELSEWHERE]


def examine_all(visit: Tab, origin: str, audience: str, start: str) -> None:
    site_map = crawl(visit.page, TEMPLATES, start)
    addresses = {**site_map.found, **{path: path for path in UNLINKED}}
    trouble = list(site_map.broken_links)
    for template in templates_of(audience):
        if template in addresses:
            visit.page.goto(f"{origin}{addresses[template]}")
            trouble += examine(visit.page, picture_name(template))
        else:
            trouble.append(f"no link leads to {template}")
    assert not trouble, "\n".join(trouble)


def test_every_page_has_an_audience() -> None:
    assert {audience_of(template) for template in TEMPLATES} == {*AUDIENCES, "guest"}
    assert {*ELSEWHERE, *UNLINKED} <= set(TEMPLATES)


@pytest.mark.parametrize("audience", AUDIENCES)
def test_every_page_of_members(signed_in: Enter, demo: Demo, audience: str) -> None:
    visit = signed_in(audience)
    with second_factors(demo):
        examine_all(visit, demo.origin, audience, "/")


def test_the_end_of_a_partner_without_accounts(signed_in: Enter, demo: Demo) -> None:
    contract = str(scene.DISTRIBUTOR.contracts[1].id)
    empty = {"distributorContractId": contract, "name": "Empty partner", "allocatedCapacity": 0}
    key = {"Authorization": f"Bearer {demo.keys['distributor_admin']}"}
    made = httpx.post(f"{demo.origin}/v1/partner", json=empty, headers=key).raise_for_status()
    page = signed_in("distributor").page
    page.goto(f"{demo.origin}/distributor/partners/{made.json()['id']}/settings")
    page.get_by_role("main").get_by_role("link", name="Delete partner").click()
    assert examine(page, picture_name("/distributor/partners/{partnerID}/delete")) == []
    page.get_by_role("button", name="Delete partner").click()
    expect_notice(page, "Partner deleted")


def test_an_adjustment_of_a_partner(signed_in: Enter, demo: Demo) -> None:
    page = signed_in("distributor").page
    partner = scene.DISTRIBUTOR.contracts[0].partners[0].id
    page.goto(f"{demo.origin}/statements/draft-{partner}-{datetime.now(UTC):%Y-%m}")
    page.get_by_role("link", name="Adjust next statement").click()
    assert examine(page, picture_name("/statements/adjustments/new")) == []
    page.get_by_label("Amount").fill("-5.00")
    page.get_by_label("Reason").fill("Goodwill for the outage")
    page.get_by_role("button", name="Adjust next statement").click()
    expect(page.get_by_role("main")).to_contain_text("Goodwill for the outage")
    assert examine(page, picture_name("/statements/adjustments/{adjustmentID}")) == []


_CALLED_FOR = """
    update storage_account s set deletion_requested_at = now(), pending_deleted_at = now() + interval '9 days'
    from partner p where p.id = s.partner_id and p.distributor_id = %s
"""


def test_a_section_of_the_start_page_with_all_its_rows(signed_in: Enter, demo: Demo) -> None:
    with psycopg.connect(demo.settings["TONNAGE_DATABASE_URL"]) as conn:
        assert conn.execute(_CALLED_FOR, [scene.DISTRIBUTOR.id]).rowcount > 5
    page = signed_in("distributor").page
    page.goto(f"{demo.origin}/distributor")
    assert examine(page, "whom-to-call") == []
    page.get_by_role("region", name="Waiting for deletion").get_by_role("link", name=re.compile("^All ")).click()
    assert examine(page, picture_name("/today/{section}")) == []
    page.get_by_role("main").get_by_role("link", name="Restore").first.click()
    page.get_by_role("button", name="Restore").click()
    expect_notice(page, "Account restored")


def test_a_form_that_needs_a_proof(signed_in: Enter, demo: Demo) -> None:
    visit = signed_in("distributor")
    page = visit.page
    visit.watch.expect(403)
    with psycopg.connect(demo.settings["TONNAGE_DATABASE_URL"]) as conn:
        conn.execute("update session set authenticated_at = now() - interval '11 minutes'")
    page.goto(f"{demo.origin}/keys/new")
    page.get_by_label("Description").fill("Backups of the office")
    page.get_by_label("Admin").check()
    page.get_by_role("button", name="Create API key").click()
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    assert examine(page, "reauthentication") == []
    page.get_by_label("Your password").fill(demo.login("distributor", "admin")["password"])
    page.get_by_role("button", name="Confirm and continue").click()
    expect(page.get_by_role("heading", name="API key created")).to_be_visible()
    expect(page.get_by_text("Backups of the office").first).to_be_visible()


def test_every_page_without_a_session(browser: Browser, demo: Demo) -> None:
    with browser.new_context() as context, watched(context, demo.origin) as watch:
        page = context.new_page()
        page.goto(f"{demo.origin}/sign-in")
        examine_all(Tab(page, watch), demo.origin, "guest", "/sign-in")
