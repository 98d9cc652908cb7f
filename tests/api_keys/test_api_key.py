import string

import pytest

from tonnage.api_keys.api_key import PREFIX, is_well_formed, key_prefix, new_key
from tonnage.tokens import digest


def test_a_key_has_a_prefix_to_scan_for_and_a_checksum() -> None:
    key = new_key()
    assert key.startswith(PREFIX)
    assert len(key) == len(PREFIX) + 38
    assert is_well_formed(key)
    assert new_key() != key


def test_every_single_typo_is_noticed() -> None:
    key = new_key()
    for place in range(len(key)):
        for other in "0aZ_":
            if key[place] != other:
                assert not is_well_formed(key[:place] + other + key[place + 1 :])
    for wrong in ("", key[:-1], key + "0", key.swapcase(), f" {key}", f"{key}\n"):
        assert not is_well_formed(wrong)


def test_the_stored_digest_does_not_disclose_the_key() -> None:
    key = new_key()
    assert len(digest(key)) == 32
    assert key.startswith(key_prefix(key))
    assert len(key) - len(key_prefix(key)) >= 30


@pytest.mark.parametrize("alphabet", [string.ascii_letters + string.digits])
def test_keys_use_the_whole_alphabet(alphabet: str) -> None:
    seen = set("".join(new_key()[len(PREFIX) :] for _ in range(300)))
    assert seen == set(alphabet)
