"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes in case the app is lost."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from pyotp import random_base32
from pyotp.totp import TOTP

ISSUER = "Tonnage"
"""The issuer that an authenticator app shows beside the address."""

RECOVERY_CODES = 10

_DIGITS = re.compile(r"[0-9]{6}")
# Without the letters and digits that are easily confused.
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_LENGTH = 12


@dataclass(frozen=True)
class Enrolment:
    """A seed that is not confirmed yet, to be typed or scanned."""

    seed: str = field(repr=False)
    """Base 32."""
    uri: str = field(repr=False)
    """`otpauth://totp/...`, for a QR code."""


def new_seed() -> str:
    """Returns 160 random bits, as RFC 4226 recommends, in base 32."""
    return random_base32()


def enrolment(seed: str, email: str) -> Enrolment:
    """The seed in the forms that an app accepts."""
    return Enrolment(seed, TOTP(seed).provisioning_uri(name=email, issuer_name=ISSUER))


def matching_step(seed: str, code: str, now: datetime) -> int | None:
    """Returns the time step whose code it is, or None. Accepts the present step, the one before and the next one, for
    clocks that are slightly off.
    """
    typed = _bare(code)
    totp = TOTP(seed)
    present = totp.timecode(now)
    if not _DIGITS.fullmatch(typed):
        return None
    steps = (
        step for step in (present - 1, present, present + 1) if secrets.compare_digest(totp.generate_otp(step), typed)
    )
    return max(steps, default=None)


def new_recovery_codes() -> list[str]:
    """Codes such as `K7QM-2XWP-9TRD`: 59 random bits each, far too many to guess while attempts are counted."""
    return ["-".join(_group() for _ in range(3)) for _ in range(RECOVERY_CODES)]


def recovery_digest(code: str) -> bytes | None:
    """Returns the stored digest of a recovery code, of any case and separators; None for a text that cannot be a
    recovery code.
    """
    typed = _bare(code).upper()
    if len(typed) != _LENGTH or set(typed) - set(_ALPHABET):
        return None
    return hashlib.sha256(typed.encode()).digest()


def _group() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(4))


def _bare(code: str) -> str:
    return re.sub(r"[\s-]", "", code)
