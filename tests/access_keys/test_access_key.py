"""The pure rules of access keys."""

import re

import pytest

from tonnage.access_keys.access_key import (
    KeyDrift,
    KeyState,
    key_drift,
    may_be_access_key,
    new_access_key,
    not_made_here,
    too_many,
)
from tonnage.errors import Conflict, Unavailable


def test_a_new_one_is_recognised_and_drawn_at_random() -> None:
    names = {new_access_key() for _ in range(1000)}
    assert len(names) == 1000
    assert all(re.fullmatch(r"TONNAGE[A-Z0-9]{13}", name) for name in names)
    assert all(map(may_be_access_key, names))


@pytest.mark.parametrize("text", ["", "A" * 129, "a/b", "a b", "A" * 19 + "\0", "A" * 20 + "\n", "Ä" * 20, "٣" * 20])
def test_invalid_access_keys(text: str) -> None:
    assert not may_be_access_key(text)


@pytest.mark.parametrize(
    ("before", "on_cluster", "drift"),
    [
        ({}, [], KeyDrift((), ())),
        ({"A": KeyState.ACTIVE}, ["A"], KeyDrift((), ())),
        ({"B": KeyState.ACTIVE, "A": KeyState.ACTIVE}, [], KeyDrift(("A", "B"), ())),
        ({"A": KeyState.PENDING}, [], KeyDrift((), ())),
        ({"A": KeyState.DELETING}, [], KeyDrift((), ())),
        ({"A": KeyState.PENDING, "B": KeyState.DELETING}, ["B", "A"], KeyDrift((), ())),
        ({"A": KeyState.ACTIVE}, ["C", "A", "B"], KeyDrift((), ("B", "C"))),
        ({"A": KeyState.ACTIVE}, ["B"], KeyDrift(("A",), ("B",))),
    ],
)
def test_the_drift_of_an_account(before: dict[str, KeyState], on_cluster: list[str], drift: KeyDrift) -> None:
    assert key_drift(before, on_cluster) == drift


def test_a_refusal_names_its_reason() -> None:
    full, waiting = too_many(10, 0), too_many(10, 3)
    assert (type(full), type(waiting)) == (Conflict, Unavailable)
    assert str(full) == "The account has 10 access keys and the limit is 10. Delete one first."
    assert "10 access keys (3 being created or deleted) and" in str(waiting)
    assert "Try again in a few minutes" in str(waiting)


def test_keys_that_were_not_made_here_are_counted() -> None:
    assert "3 access keys on its cluster, the maximum. These were not created here: A, C." in str(
        not_made_here("ABC", "BD")
    )
    assert not_made_here("ABC", "DCBA") is None
