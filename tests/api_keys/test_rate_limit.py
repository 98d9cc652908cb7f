"""The token bucket as arithmetic: what it holds, regains and says."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.cast import NOW
from tonnage.access.actor import Actor, Kind, Role
from tonnage.api_keys.rate_limit import MOST, KeyLimit, TokenBucket, take
from tonnage.errors import Invalid


def taken(times: int, rate: int = 5, bucket: TokenBucket | None = None, after: float = 0.0) -> TokenBucket:
    """The bucket after so many requests at one time."""
    for _ in range(times):
        bucket = take(bucket, rate, NOW + timedelta(seconds=after))
    assert bucket is not None
    return bucket


def said(bucket: TokenBucket) -> tuple[str, str]:
    policy, left = (value.decode() for _, value in bucket.headers)
    return policy, left


@pytest.mark.parametrize(
    ("requests", "has_admitted", "left"),
    [
        (1, True, '"default";r=49;t=1'),
        (6, True, '"default";r=44;t=2'),
        (49, True, '"default";r=1;t=10'),
        (50, True, '"default";r=0;t=1'),
        (51, False, '"default";r=0;t=1'),
        (500, False, '"default";r=0;t=1'),
    ],
)
def test_a_full_bucket_holds_the_requests_of_ten_seconds(requests: int, has_admitted: bool, left: str) -> None:
    bucket = taken(requests)
    assert bucket.has_admitted is has_admitted
    assert said(bucket) == ('"default";q=50;w=10', left)


@pytest.mark.parametrize("rate", [1, 3, 7, 50])
def test_in_the_long_run_no_more_than_the_limit(rate: int) -> None:
    """Tried ten times as often as allowed, for a minute."""
    bucket, admitted = None, 0
    for step in range(60 * rate * 10):
        bucket = take(bucket, rate, NOW + timedelta(seconds=step / (rate * 10)))
        admitted += bucket.has_admitted
    assert 10 * rate + 60 * rate - 1 <= admitted <= 10 * rate + 60 * rate


def test_who_waits_as_long_as_it_is_told_is_admitted_and_no_earlier() -> None:
    bucket = taken(11, rate=1)
    assert (bucket.has_admitted, bucket.reset_after) == (False, 1)
    assert not take(bucket, 1, NOW + timedelta(seconds=0.9)).has_admitted
    assert take(bucket, 1, NOW + timedelta(seconds=1)).has_admitted


def test_it_is_full_again_after_ten_seconds_and_never_fuller() -> None:
    assert said(taken(1, bucket=taken(50), after=10))[1] == '"default";r=49;t=1'
    assert said(taken(1, bucket=taken(1), after=86_400))[1] == '"default";r=49;t=1'


def test_a_clock_that_is_set_back_gives_nothing_and_blocks_nobody() -> None:
    empty = taken(50)
    back = take(empty, 5, NOW - timedelta(hours=1))
    assert not back.has_admitted
    assert take(back, 5, NOW - timedelta(hours=1) + timedelta(seconds=0.2)).has_admitted


def test_another_limit_applies_at_once() -> None:
    assert said(taken(1, rate=50, bucket=taken(50)))[1] == '"default";r=449;t=2'
    lower = taken(1, rate=1, bucket=taken(40))
    assert (lower.has_admitted, lower.remaining, lower.reset_after) == (False, 0, 1)


@pytest.mark.parametrize(
    ("kind", "wanted", "most"),
    [
        (Kind.PARTNER, None, None),
        (Kind.PARTNER, 1, None),
        (Kind.PARTNER, 50, None),
        (Kind.PARTNER, 51, 50),
        (Kind.PARTNER, 0, 50),
        (Kind.DISTRIBUTOR, 51, 50),
        (Kind.OPERATOR, 51, None),
        (Kind.OPERATOR, MOST, None),
        (Kind.OPERATOR, MOST + 1, MOST),
        (Kind.OPERATOR, 0, MOST),
        (Kind.OPERATOR, -1, MOST),
    ],
)
def test_only_the_operator_gives_more_than_the_default(kind: Kind, wanted: int | None, most: int | None) -> None:
    actor = Actor(uuid4(), kind, Role.ADMIN, "member")
    if most is None:
        KeyLimit(wanted).require(actor, 50)
    else:
        with pytest.raises(Invalid, match=f"requestsPerSecond: must be from 1 to {most}"):
            KeyLimit(wanted).require(actor, 50)
