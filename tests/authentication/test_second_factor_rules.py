"""Pure rules of the codes of authenticator apps and of recovery codes."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from pyotp.totp import TOTP

from tests.cast import NOW
from tonnage.authentication.second_factor import (
    RECOVERY_CODES,
    enrolment,
    matching_step,
    new_recovery_codes,
    new_seed,
    recovery_digest,
)

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP = int(NOW.timestamp()) // 30


@pytest.mark.parametrize(("seconds", "step"), [(-30, STEP - 1), (0, STEP), (29, STEP), (30, STEP + 1)])
def test_a_code_may_be_a_step_off(seconds: int, step: int) -> None:
    code = TOTP(SEED).at(NOW + timedelta(seconds=seconds))
    assert matching_step(SEED, code, NOW) == step


@pytest.mark.parametrize("seconds", [-31, 60, 3600])
def test_codes_of_other_steps_are_invalid(seconds: int) -> None:
    assert matching_step(SEED, TOTP(SEED).at(NOW + timedelta(seconds=seconds)), NOW) is None


def test_spaces_in_a_code_are_ignored() -> None:
    code = TOTP(SEED).at(NOW)
    assert matching_step(SEED, f" {code[:3]} {code[3:]}\n", NOW) == STEP


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "12345\0", "٠١٢٣٤٥"])
def test_malformed_codes_match_nothing(typed: str) -> None:
    assert matching_step(SEED, typed, NOW) is None


def test_the_rfcs_own_example() -> None:
    # RFC 6238, appendix B: the seed is the ASCII text 12345678901234567890; the last six of its eight digits.
    seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    at = NOW.fromtimestamp(1111111109, NOW.tzinfo)
    assert matching_step(seed, "081804", at) == 1111111109 // 30


def test_the_provisioning_uri() -> None:
    parts = urlsplit(enrolment(SEED, "ann+x@example.org").uri)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parts.path == "/Tonnage:ann%2Bx%40example.org"
    assert parse_qs(parts.query) == {"secret": [SEED], "issuer": ["Tonnage"]}
    assert SEED not in repr(enrolment(SEED, "ann@example.org"))


def test_seeds_are_long_and_never_the_same() -> None:
    assert len({new_seed() for _ in range(50)}) == 50
    assert len(new_seed()) == 32  # 160 bits in base 32


def test_recovery_codes_differ_from_codes_and_ignore_case_and_separators() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == RECOVERY_CODES
    for code in codes:
        assert len(code) == 14
        assert recovery_digest(code) == recovery_digest(f" {code.replace('-', '').lower()} ") is not None
        assert matching_step(SEED, code, NOW) is None


@pytest.mark.parametrize("typed", ["", "123456", "K7QM-2XWP", "K7QM-2XWP-9TR1", "K7QM-2XWP-9TRDX", "ＡBCD-EFGH-JKMN"])
def test_malformed_recovery_codes(typed: str) -> None:
    assert recovery_digest(typed) is None
