import asyncio
import threading

import pytest
from argon2 import PasswordHasher

from tonnage.passwords import Passwords, account_password, member_password


@pytest.mark.parametrize("password", ["Abcdefg1", "abcdefg-1", "ABCDEFG-1", "Abcdefg-", "Pässword1", "x" * 126 + "A1"])
def test_three_classes_are_enough_for_a_member(password: str) -> None:
    assert member_password(password) == password


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("Abc-123", "8 to 128"),
        ("Abc-1" + "x" * 124, "8 to 128"),
        ("abcdefg1", "3 of"),
        ("abcdefgh", "3 of"),
        ("Abcdefg-\ud800", "Unicode"),
    ],
)
def test_refused_member_passwords(password: str, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        member_password(password)


def test_an_account_needs_all_four() -> None:
    assert account_password("Abcdef-1") == "Abcdef-1"
    for lacking in ("abcdef-1", "ABCDEF-1", "Abcdef-g", "Abcdefg1"):
        with pytest.raises(ValueError, match="must contain a lower-case"):
            account_password(lacking)


def test_hashes_are_argon2id_and_at_most_two_are_made_at_once() -> None:
    running = most = 0
    both = threading.Barrier(2, timeout=30)

    class CountingHasher(PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            nonlocal running, most
            running += 1
            most = max(most, running)
            both.wait()
            try:
                return super().hash(password, salt=salt)
            finally:
                running -= 1

    async def many() -> list[str]:
        passwords = Passwords(CountingHasher(time_cost=1, memory_cost=4096))
        return await asyncio.gather(*(passwords.hash("Abcdef-1") for _ in range(12)))

    hashes = asyncio.run(many())
    assert all(made.startswith("$argon2id$") for made in hashes)
    assert len(set(hashes)) == 12
    assert most == 2
