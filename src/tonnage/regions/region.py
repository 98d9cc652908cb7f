"""A region: where storage accounts live, and the cluster behind it."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tonnage.errors import Sentence

METERED = "metered"
CEPH = "ceph"

_PLAIN = re.compile(r"[!-~]+")
"""Printable ASCII without blanks; urlsplit would drop line breaks before anybody could see them."""
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def region_name(text: str) -> str:
    """The name itself if it can stand in a host name: S3 clients send it. Raises ValueError."""
    if not _NAME.fullmatch(text):
        raise ValueError(
            Sentence(
                "{text} is not a region name; use lower-case letters, digits and hyphens, such as eu-central-2",
                text=repr(text),
            )
        )
    return text


def endpoint(text: str) -> str:
    """An http or https address: no query, no blanks, and no credentials, since everybody may read it. ValueError."""
    wrong = ValueError("is not an endpoint; write it as https://host[:port][/path]")
    if not _PLAIN.fullmatch(text) or "?" in text or "#" in text:
        raise wrong
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0 or "@" in parts.netloc:
        raise wrong
    return text.rstrip("/")


@dataclass(frozen=True)
class NewRegion:
    """Its name and the endpoints that its customers use."""

    name: str
    s3_url: str
    iam_url: str
    sts_url: str


@dataclass(frozen=True)
class Gateway:
    """How the operator's Ceph is administered: the address of a gateway's admin API, and the key of its admin user."""

    admin_url: str
    access_key: str
    secret_key: str = field(repr=False)
