"""The usage history of the sample data."""

from datetime import UTC, datetime, timedelta

import pytest

from tonnage.demo import scene, usage_curve
from tonnage.demo.scene import Customer

NOW = datetime(2026, 3, 15, 12, 30, tzinfo=UTC)
CUSTOMERS = [customer for _, _, customer in scene.openings()]
every_customer = pytest.mark.parametrize("customer", CUSTOMERS, ids=lambda customer: customer.name)


@every_customer
def test_every_day_has_a_sample_and_the_last_ones_have_many(customer: Customer) -> None:
    found = list(usage_curve.samples(customer, NOW))
    times = [at for at, _ in found]
    assert times == sorted(set(times))
    opened = usage_curve.opened_at(customer, NOW)
    assert opened <= times[0]
    assert NOW - timedelta(hours=1) < times[-1] <= NOW
    days = {at.date() for at in times}
    assert len(days) == (NOW.date() - opened.date()).days + 1 == customer.opened + 1
    assert sum(at.date() == NOW.date() - timedelta(days=1) for at in times) == 24


@every_customer
def test_it_is_deterministic(customer: Customer) -> None:
    assert list(usage_curve.samples(customer, NOW)) == list(usage_curve.samples(customer, NOW))


@every_customer
def test_use_grows_and_stays_within_what_a_cluster_would_take(customer: Customer) -> None:
    sizes = [size for _, size in usage_curve.samples(customer, NOW)]
    assert 0 < sizes[0] < sizes[-1]
    if customer.allocated and not customer.overdraft:
        assert max(sizes) <= customer.allocated


def test_weekends_are_quieter() -> None:
    by_day = {at.date(): size for at, size in usage_curve.samples(CUSTOMERS[0], NOW)}
    sundays = [day for day in by_day if day.weekday() == 6 and day - timedelta(days=2) in by_day]
    assert all(by_day[day] < by_day[day - timedelta(days=2)] for day in sundays)


def test_an_account_is_read_only_once_its_deletion_was_asked_for() -> None:
    customer = next(customer for customer in CUSTOMERS if customer.deletion_requested)
    requested = usage_curve.deletion_requested_at(customer, NOW)
    assert requested is not None
    assert len({size for at, size in usage_curve.samples(customer, NOW) if at > requested}) == 1


def test_the_scene_has_every_kind_of_account() -> None:
    assert any(customer.overdraft and customer.used_now > customer.allocated > 0 for customer in CUSTOMERS)
    assert any(customer.allocated == 0 for customer in CUSTOMERS)
    assert any(customer.deletion_requested for customer in CUSTOMERS)
    assert all(customer.opened < scene.FOUNDED for customer in CUSTOMERS)
    assert len({login.email for login in scene.LOGINS}) == len(scene.LOGINS)
