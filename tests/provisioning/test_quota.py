"""The quota that a cluster enforces, as a table: a row for each kind of account under each kind of partner."""

import pytest

from tonnage.provisioning.quota import Pool, Share, quota

RESERVED = Pool(allocated=100, overdraft=False, allocated_to_accounts=60, excess=0)
WITH_OVERDRAFT = Pool(allocated=100, overdraft=True, allocated_to_accounts=60, excess=0)
PAY_PER_USE = Pool(allocated=0, overdraft=False, allocated_to_accounts=60, excess=0)
UNLIMITED = None

FIXED = Share(allocated=20, overdraft=False, used=5)
ELASTIC = Share(allocated=20, overdraft=True, used=5)
PAYING = Share(allocated=0, overdraft=False, used=5)
BOTH = Share(allocated=0, overdraft=True, used=5)


@pytest.mark.parametrize(
    ("share", "pool", "expected"),
    [
        # Reserved without overdraft: its allocation, under any partner.
        (FIXED, RESERVED, 20),
        (FIXED, WITH_OVERDRAFT, 20),
        (FIXED, PAY_PER_USE, 20),
        # Elastic, under a partner without a bound.
        (ELASTIC, WITH_OVERDRAFT, UNLIMITED),
        (ELASTIC, PAY_PER_USE, UNLIMITED),
        (PAYING, WITH_OVERDRAFT, UNLIMITED),
        (PAYING, PAY_PER_USE, UNLIMITED),
        (BOTH, PAY_PER_USE, UNLIMITED),
        # Elastic, under a bounded partner: its own, and the unallocated 40.
        (ELASTIC, RESERVED, 20 + 40),
        (PAYING, Pool(100, overdraft=False, allocated_to_accounts=60, excess=5), 0 + 40),
        (BOTH, Pool(100, overdraft=False, allocated_to_accounts=60, excess=5), 0 + 40),
        # Everything is allocated: nothing beyond its own.
        (ELASTIC, Pool(60, overdraft=False, allocated_to_accounts=60, excess=0), 20),
        (PAYING, Pool(60, overdraft=False, allocated_to_accounts=60, excess=5), 0),
    ],
)
def test_table(share: Share, pool: Pool, expected: int | None) -> None:
    assert quota(share, pool) == expected
    leaving = Share(share.allocated, share.overdraft, share.used, leaving=True)
    assert quota(leaving, pool) == 0


def test_only_siblings_excess_reduces_the_quota() -> None:
    itself = Share(allocated=20, overdraft=True, used=35)
    assert itself.excess == 15
    assert quota(itself, Pool(100, overdraft=False, allocated_to_accounts=60, excess=15)) == 60
    assert quota(itself, Pool(100, overdraft=False, allocated_to_accounts=60, excess=15 + 30)) == 20 + 40 - 30


def test_siblings_excess_does_not_reduce_the_own_allocation() -> None:
    assert quota(ELASTIC, Pool(100, overdraft=False, allocated_to_accounts=60, excess=1000)) == 20
    assert quota(PAYING, Pool(100, overdraft=False, allocated_to_accounts=60, excess=1005)) == 0


TB = 10**12


@pytest.mark.parametrize(
    ("share", "pool", "expected"),
    [
        # An account's own cap: 10 TB with 1 TB of overdraft is 11 TB, under a partner without a bound.
        (Share(10 * TB, overdraft=True, used=0, cap=TB), WITH_OVERDRAFT, 11 * TB),
        (Share(0, overdraft=False, used=0, cap=TB), PAY_PER_USE, TB),
        (Share(0, overdraft=False, used=0, cap=0), PAY_PER_USE, 0),
        # It caps overdraft: where there is none it does nothing.
        (Share(20, overdraft=False, used=5, cap=3), WITH_OVERDRAFT, 20),
        # Under a bounded partner whichever is less.
        (Share(20, overdraft=True, used=5, cap=3), RESERVED, 20 + 3),
        (Share(20, overdraft=True, used=5, cap=300), RESERVED, 20 + 40),
        # A partner's cap: all accounts share the allocation and the cap.
        (ELASTIC, Pool(100, overdraft=True, allocated_to_accounts=60, excess=0, cap=10), 20 + 50),
        (PAYING, Pool(100, overdraft=True, allocated_to_accounts=60, excess=30, used=60, cap=10), 0 + 25),
        (FIXED, Pool(100, overdraft=True, allocated_to_accounts=60, excess=0, cap=10), 20),
        (PAYING, Pool(0, overdraft=False, allocated_to_accounts=0, excess=5, used=5, cap=10), 10),
        (Share(0, overdraft=False, used=5, cap=7), Pool(0, False, 0, 5, used=5, cap=10), 7),
        # A reserved partner without overdraft has nothing to cap.
        (ELASTIC, Pool(100, overdraft=False, allocated_to_accounts=60, excess=0, cap=0), 20 + 40),
        # More is allocated than allocation and cap: each may use what all of them leave, its own included.
        (FIXED, Pool(100, overdraft=True, allocated_to_accounts=120, excess=0, used=100, cap=10), 5 + 10),
        (FIXED, Pool(100, overdraft=True, allocated_to_accounts=120, excess=0, used=30, cap=10), 20),
        (ELASTIC, Pool(100, overdraft=True, allocated_to_accounts=120, excess=0, used=100, cap=10), 5 + 10),
        (FIXED, Pool(0, overdraft=False, allocated_to_accounts=60, excess=0, used=50, cap=10), 5),
        # What a cluster cannot take is no limit that it could exceed.
        (Share(2**62, overdraft=True, used=0, cap=2**62), WITH_OVERDRAFT, 2**63 - 1),
    ],
)
def test_caps(share: Share, pool: Pool, expected: int) -> None:
    assert quota(share, pool) == expected
    assert quota(Share(share.allocated, share.overdraft, share.used, leaving=True, cap=share.cap), pool) == 0


def test_between_samples_k_siblings_exceed_the_pool_by_at_most_k_minus_1_remainders() -> None:
    """Each may fill its quota before the next sample."""
    pool = Pool(100, overdraft=False, allocated_to_accounts=60, excess=0)
    siblings = [Share(20, overdraft=True, used=0) for _ in range(3)]
    filled = sum(quota(one, pool) or 0 for one in siblings)
    assert filled - 100 == (3 - 1) * 40


@pytest.mark.parametrize("used", [0, 20, 21, 10**18])
def test_use_beyond_a_fixed_allocation_is_no_excess(used: int) -> None:
    assert Share(20, overdraft=False, used=used).excess == 0
    assert Share(20, overdraft=True, used=used).excess == max(0, used - 20)


def test_the_largest_numbers_there_are_stay_within_what_a_cluster_takes() -> None:
    largest = 2**63 - 1
    share = Share(largest // 2, overdraft=True, used=largest)
    assert (
        quota(share, Pool(largest, overdraft=False, allocated_to_accounts=largest // 2, excess=share.excess)) == largest
    )
