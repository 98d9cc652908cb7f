"""Who keeps which billing profile, and which of them counts."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.billing_profiles.profiles import PROFILE, of_country
from tests.cast import NOW, TB, Cast, with_role
from tests.unchanged import unchanged
from tonnage.access.actor import Actor, Role
from tonnage.billing_profiles import actions, queries
from tonnage.billing_profiles.billing_profile import ProfileSubject, read_profile
from tonnage.errors import EditConflict, Forbidden, NotFound, PreconditionFailed, TonnageError

pytestmark = pytest.mark.anyio


@dataclass
class BillingData:
    cast: Cast
    operator: Actor
    distributor: Actor
    partner: Actor
    account: int

    async def set(self, actor: Actor, subject: ProfileSubject, document: dict[str, Any], **more: Any) -> dict[str, Any]:
        profile = read_profile(document)
        written = await self.cast.database.run(actions.set_profile, actor, subject, profile, NOW, **more)
        return json.loads(written.json)

    async def show(self, actor: Actor, subject: ProfileSubject) -> tuple[dict[str, Any], int]:
        found = await self.cast.database.run(actions.show_profile, actor, subject)
        return json.loads(found.json), found.revision

    async def counting(self, seller: Actor) -> dict[Any, queries.BuyerProfile]:
        organisations = [self.distributor.organisation_id, self.partner.organisation_id, uuid4()]
        return await self.cast.database.run(
            queries.buyer_profiles, seller.organisation_id, organisations, [self.account, 1]
        )


@pytest.fixture
async def data(cast: Cast) -> BillingData:
    await cast.region()
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor), 10 * TB)
    return BillingData(cast, cast.operator, distributor, partner, await cast.account(partner, TB))


async def test_the_profile_of_the_seller_counts_until_the_buyer_has_written_its_own(data: BillingData) -> None:
    distributor, partner = data.distributor, data.partner
    of_partner = actions.of_buyer(distributor, partner.organisation_id)
    assert await data.counting(distributor) == {}
    assert await data.show(distributor, of_partner) == ({"organisationId": str(partner.organisation_id)}, 1)

    kept = await data.set(distributor, of_partner, of_country("AT", paymentTermDays=30))
    assert kept["legalName"] == "Company of AT"
    found = (await data.counting(distributor))[partner.organisation_id]
    assert (found.profile.legal_name, found.is_own, found.payment_term_days) == ("Company of AT", False, 30)
    own = ProfileSubject.own(partner)
    assert await data.show(partner, own) == ({"organisationId": str(partner.organisation_id)}, 1)

    await data.set(partner, own, {**PROFILE, "paymentTermDays": 365})
    found = (await data.counting(distributor))[partner.organisation_id]
    assert (found.profile.legal_name, found.is_own) == (PROFILE["legalName"], True)
    assert found.payment_term_days == 30, "a buyer does not decide when it pays"
    shown, revision = await data.show(distributor, of_partner)
    assert (shown["legalName"], shown["buyersOwn"]["legalName"], revision) == ("Company of AT", PROFILE["legalName"], 2)


async def test_terms_of_payment_are_the_sellers(data: BillingData) -> None:
    distributor, partner = data.distributor, data.partner
    await data.set(partner, ProfileSubject.own(partner), {**PROFILE, "paymentTermDays": 365})
    assert (await data.counting(distributor))[partner.organisation_id].payment_term_days is None
    await data.set(distributor, ProfileSubject.own(distributor), {**PROFILE, "paymentTermDays": 21})
    assert (await data.counting(distributor))[partner.organisation_id].payment_term_days == 21
    # One that the seller keeps without terms changes nothing.
    await data.set(distributor, actions.of_buyer(distributor, partner.organisation_id), of_country("AT"))
    assert (await data.counting(distributor))[partner.organisation_id].payment_term_days == 21


async def test_each_seller_has_its_own_buyers(data: BillingData) -> None:
    subject = actions.of_account(data.partner, data.account)
    await data.set(data.partner, subject, of_country("FR", paymentTermDays=0))
    await data.set(data.operator, actions.of_buyer(data.operator, data.distributor.organisation_id), of_country("DE"))
    assert {key: one.profile.country for key, one in (await data.counting(data.partner)).items()} == {
        data.account: "FR"
    }
    assert (await data.counting(data.partner))[data.account].payment_term_days == 0
    assert (await data.counting(data.operator)).keys() == {data.distributor.organisation_id}
    assert await data.counting(data.distributor) == {}
    seller = await data.cast.database.run(queries.seller_profile, data.distributor.organisation_id)
    assert seller is None, "what the operator keeps is no profile of a seller"


async def test_strangers_find_nothing(data: BillingData) -> None:
    cast = data.cast
    other = await cast.distributor()
    stranger = await cast.partner(other, await cast.contract(other))
    others = [
        (other, actions.of_buyer(other, data.partner.organisation_id)),
        (other, actions.of_buyer(other, data.distributor.organisation_id)),
        (data.partner, actions.of_buyer(data.partner, data.distributor.organisation_id)),
        (data.operator, actions.of_buyer(data.operator, data.partner.organisation_id)),
        (data.distributor, actions.of_buyer(data.distributor, data.operator.organisation_id)),
        (stranger, actions.of_account(stranger, data.account)),
        (data.distributor, actions.of_account(data.distributor, data.account)),
        (data.operator, actions.of_buyer(data.operator, uuid4())),
    ]
    for actor, subject in others:
        with pytest.raises(NotFound):
            await data.show(actor, subject)
        async with unchanged(cast.database):
            with pytest.raises(NotFound):
                await data.set(actor, subject, PROFILE)
    for actor in (data.operator, data.distributor):
        with pytest.raises(NotFound):
            actions.of_buyer(actor, actor.organisation_id)


@pytest.mark.parametrize("role", [Role.STAFF, Role.VIEWER])
async def test_only_admins_write(data: BillingData, role: Role) -> None:
    actor = with_role(data.partner, role)
    async with unchanged(data.cast.database):
        with pytest.raises(Forbidden):
            await data.set(actor, ProfileSubject.own(actor), PROFILE)


async def test_of_two_first_writers_one_is_refused(data: BillingData) -> None:
    own = ProfileSubject.own(data.partner)

    async def write(country: str) -> str:
        try:
            return (await data.set(data.partner, own, of_country(country), revision=1))["country"]
        except PreconditionFailed as error:
            return f"instead of {json.loads(error.current)['country']}"

    first, second = await asyncio.gather(write("DE"), write("AT"))
    assert {first, second} in ({"DE", "instead of DE"}, {"AT", "instead of AT"})
    assert (await data.show(data.partner, own))[1] == 2


async def test_a_field_that_somebody_else_has_changed_is_a_conflict(data: BillingData) -> None:
    own, run = ProfileSubject.own(data.partner), data.cast.database.run
    await data.set(data.partner, own, PROFILE)

    async def change(text: str, expected: str) -> None:
        await run(actions.change_profile, data.partner, own, {"city": text}, NOW, expected={"city": expected})

    await change("Kiel", "Hamburg")
    await change("Kiel", "Hamburg")
    async with unchanged(data.cast.database):
        with pytest.raises(EditConflict):
            await change("Berlin", "Hamburg")
    shown, revision = await data.show(data.partner, own)
    assert (shown, revision) == ({"organisationId": str(data.partner.organisation_id), **PROFILE, "city": "Kiel"}, 3)


async def test_a_purged_account_keeps_its_profile_without_the_address_of_a_person(data: BillingData) -> None:
    subject = actions.of_account(data.partner, data.account)
    await data.set(data.partner, subject, of_country("FR", contactEmail="ann@example.org"))
    await data.cast.row(
        "update storage_account set deletion_requested_at = %s, pending_deleted_at = %s where id = %s returning id",
        NOW, NOW + timedelta(days=30), data.account,
    )  # fmt: skip
    await data.cast.purge(NOW + timedelta(days=100))
    found = (await data.counting(data.partner))[data.account]
    assert (found.profile.country, found.profile.contact_email) == ("FR", "")
    with pytest.raises(TonnageError):
        await data.set(data.partner, subject, of_country("FR"))
