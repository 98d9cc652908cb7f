"""Signatures of Standard Webhooks (https://www.standardwebhooks.com): by a shared secret, v1, and by a key, v1a."""

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_SECRET, _PUBLIC_KEY = "whsec_", "whpk_"
_SECRET_BYTES = 32


def new_secret() -> str:
    """A shared secret as receivers write it: `whsec_` and 32 random bytes in base64."""
    return _SECRET + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def new_private_key() -> bytes:
    """The 32 bytes of a private key."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_key_text(private_key: bytes) -> str:
    """The public key as receivers write it: `whpk_` and 32 bytes in base64."""
    public = Ed25519PrivateKey.from_private_bytes(private_key).public_key()
    return _PUBLIC_KEY + b64encode(public.public_bytes_raw()).decode()


def signed_headers(
    message_id: str, sent_at: datetime, body: bytes, shared: Sequence[str], private_key: bytes
) -> Mapping[str, str]:
    """The headers of a message: signed with each of the secrets, and with the private key."""
    timestamp = str(int(sent_at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [
        "v1," + b64encode(hmac.digest(b64decode(secret.removeprefix(_SECRET)), signed, "sha256")).decode()
        for secret in shared
    ]
    by_key = Ed25519PrivateKey.from_private_bytes(private_key).sign(signed)
    signatures.append("v1a," + b64encode(by_key).decode())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }
