"""The second factor: codes of an authenticator app by RFC 6238, and recovery codes for the day when it is lost."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from pyotp import random_base32
from pyotp.totp import TOTP

ISSUER = "Tonnage"
"""What an authenticator app shows beside the address."""

RECOVERY_CODES = 10

_DIGITS = re.compile(r"[0-9]{6}")
# Without the letters and digits that people take for others.
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
    """160 random bits, as RFC 4226 recommends, in base 32."""
    return random_base32()


def enrolment(seed: str, email: str) -> Enrolment:
    """What the app needs to know."""
    return Enrolment(seed, TOTP(seed).provisioning_uri(name=email, issuer_name=ISSUER))


def matching_step(seed: str, code: str, now: datetime) -> int | None:
    """The time step whose code it is: the present one, the one before or the next, for clocks that are off a little."""
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
    """Such as `K7QM-2XWP-9TRD`: 59 random bits each, which is far too many for tries that are counted."""
    return ["-".join(_group() for _ in range(3)) for _ in range(RECOVERY_CODES)]


def recovery_digest(code: str) -> bytes | None:
    """What is stored of a recovery code, however it is typed; None for what cannot be one."""
    typed = _bare(code).upper()
    if len(typed) != _LENGTH or set(typed) - set(_ALPHABET):
        return None
    return hashlib.sha256(typed.encode()).digest()


def _group() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(4))


def _bare(code: str) -> str:
    return re.sub(r"[\s-]", "", code)
