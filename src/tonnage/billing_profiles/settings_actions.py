"""Actions on sellers' settings: how documents are made, their logo, and the table of tax rates. Every organisation is a
seller: a partner sells to its storage accounts.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from tonnage.access.actor import Actor, Kind, Role
from tonnage.billing_profiles import settings_queries as queries
from tonnage.billing_profiles.logo import logo_of_text
from tonnage.billing_profiles.queries import save_unchanged
from tonnage.billing_profiles.settings import SellerSettings, changed
from tonnage.billing_profiles.settings_queries import FoundSettings
from tonnage.billing_profiles.tax import TaxRate, read_rates
from tonnage.db import Connection
from tonnage.db.rendered import Versioned
from tonnage.errors import EditConflict, Invalid, PreconditionFailed
from tonnage.organisations.organisation import no_organisation


async def show_settings(conn: Connection, actor: Actor) -> Versioned:
    """The actor's settings as JSON."""
    found = await queries.seller_settings(conn, actor.organisation_id)
    return Versioned(_rendered(actor, found.settings, has_logo=found.has_logo), found.revision)


async def set_settings(
    conn: Connection, actor: Actor, settings: SellerSettings, now: datetime, *, revision: int | None = None
) -> Versioned:
    """Replaces the settings as a whole, but not the logo. PreconditionFailed: they are not in the given `revision`."""
    async with conn.transaction():
        held = await _held(conn, actor, now)
        if revision not in {None, held.revision}:
            raise PreconditionFailed(_rendered(actor, held.settings, has_logo=held.has_logo), held.revision)
        return await _written(conn, actor, held, settings, now)


async def change_settings(
    conn: Connection, actor: Actor, change: Mapping[str, Any], now: datetime, *, expected: Mapping[str, Any]
) -> Versioned:
    """Changes some fields, by their names in SellerSettings. Invalid, for all fields that are wrong at once.
    EditConflict: one of them is neither as `expected` nor as it is to be.
    """
    async with conn.transaction():
        held = await _held(conn, actor, now)
        settings, present = changed(held.settings, change), asdict(held.settings)
        wanted = asdict(settings)
        if any(present[name] not in (expected[name], wanted[name]) for name in change):
            raise EditConflict
        return await _written(conn, actor, held, settings, now)


def read_logo(text: str, field: str = "image") -> bytes:
    """The picture of a PNG image in base64. Invalid: it is none; `field` names it."""
    try:
        return logo_of_text(text)
    except ValueError as error:
        raise Invalid.field(field, error.args[0]) from None


async def show_logo(conn: Connection, actor: Actor) -> Versioned:
    """The actor's logo as JSON; without `image` if it has none. The revision is that of the settings."""
    found = await queries.seller_settings(conn, actor.organisation_id)
    return Versioned(_logo(actor, await queries.logo_of(conn, actor.organisation_id)), found.revision)


async def set_logo(
    conn: Connection, actor: Actor, image: bytes | None, now: datetime, *, revision: int | None = None
) -> Versioned:
    """Sets the logo, an image that `logo.py` has checked, or removes it. PreconditionFailed: the settings are not in
    the given `revision`.
    """
    seller = actor.organisation_id
    text = None if image is None else base64.b64encode(image).decode()
    async with conn.transaction():
        held = await _held(conn, actor, now)
        present = await queries.logo_of(conn, seller)
        if revision not in {None, held.revision}:
            raise PreconditionFailed(_logo(actor, present), held.revision)
        shown = _logo(actor, text)
        response = shown if text else None
        if text == present:
            await save_unchanged(conn, response, held.revision, actor.stamp)
            return Versioned(shown, held.revision)
        return Versioned(shown, await queries.update_logo(conn, seller, text, response, now, actor.stamp))


async def show_tax_rates(conn: Connection, actor: Actor) -> Versioned:
    """The actor's tax rates as JSON."""
    found = await queries.seller_settings(conn, actor.organisation_id)
    rates = await queries.tax_rates(conn, actor.organisation_id)
    return Versioned(_rendered_rates(actor, rates), found.tax_rates_revision)


async def set_tax_rates(
    conn: Connection, actor: Actor, rates: Sequence[TaxRate], now: datetime, *, revision: int | None = None
) -> Versioned:
    """Replaces the whole table. PreconditionFailed: it is not in the given `revision`."""
    async with conn.transaction():
        held = await _held(conn, actor, now)
        present = await queries.tax_rates(conn, actor.organisation_id)
        if revision not in {None, held.tax_rates_revision}:
            raise PreconditionFailed(_rendered_rates(actor, present), held.tax_rates_revision)
        return await _replaced(conn, actor, held, present, tuple(rates), now)


async def add_tax_rate(conn: Connection, actor: Actor, rate: TaxRate, now: datetime) -> Versioned:
    """Adds a rate, or replaces the one of the same day. Invalid: there are too many."""
    async with conn.transaction():
        held = await _held(conn, actor, now)
        present = await queries.tax_rates(conn, actor.organisation_id)
        others = [one for one in present if one.valid_from != rate.valid_from]
        return await _replaced(conn, actor, held, present, read_rates(_documents([*others, rate])), now)


async def remove_tax_rate(conn: Connection, actor: Actor, valid_from: date, now: datetime) -> Versioned:
    """Removes the rate of a day. Idempotent."""
    async with conn.transaction():
        held = await _held(conn, actor, now)
        present = await queries.tax_rates(conn, actor.organisation_id)
        left = tuple(one for one in present if one.valid_from != valid_from)
        return await _replaced(conn, actor, held, present, left, now)


async def _replaced(
    conn: Connection,
    actor: Actor,
    held: FoundSettings,
    present: tuple[TaxRate, ...],
    rates: tuple[TaxRate, ...],
    now: datetime,
) -> Versioned:
    response = _rendered_rates(actor, rates)
    if rates == present:
        await save_unchanged(conn, response, held.tax_rates_revision, actor.stamp)
        return Versioned(response, held.tax_rates_revision)
    revision = await queries.replace_tax_rates(conn, actor.organisation_id, present, rates, response, now, actor.stamp)
    return Versioned(response, revision)


async def _held(conn: Connection, actor: Actor, now: datetime) -> FoundSettings:
    actor.require(actor.kind, Role.ADMIN)
    held = await queries.hold_settings(conn, actor.organisation_id, now)
    if held is None:
        raise no_organisation(actor.organisation_id)
    return held


async def _written(
    conn: Connection, actor: Actor, held: FoundSettings, settings: SellerSettings, now: datetime
) -> Versioned:
    if settings.suspend_overdue_days and actor.kind is not Kind.DISTRIBUTOR:
        raise Invalid.field("suspendOverdueDays", "must be 0: only distributors can suspend their buyers")
    response = _rendered(actor, settings, has_logo=held.has_logo)
    if settings == held.settings:
        await save_unchanged(conn, response, held.revision, actor.stamp)
        return Versioned(response, held.revision)
    revision = await queries.update_settings(
        conn, actor.organisation_id, held.settings, settings, response, now, actor.stamp
    )
    return Versioned(response, revision)


def _rendered(actor: Actor, settings: SellerSettings, *, has_logo: bool) -> bytes:
    return _json(actor, {**settings.as_document(), "hasLogo": has_logo})


def _logo(actor: Actor, image: str | None) -> bytes:
    return _json(actor, {"image": image} if image else {})


def _rendered_rates(actor: Actor, rates: Sequence[TaxRate]) -> bytes:
    return _json(actor, {"rates": _documents(rates)})


def _documents(rates: Sequence[TaxRate]) -> list[dict[str, str]]:
    return [{"validFrom": rate.valid_from.isoformat(), "percent": f"{rate.percent:f}"} for rate in rates]


def _json(actor: Actor, document: Mapping[str, Any]) -> bytes:
    return json.dumps({"organisationId": str(actor.organisation_id), **document}, ensure_ascii=False).encode()
