"""Regions: where storage accounts are, and the cluster behind each."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tonnage.errors import Sentence

METERED = "metered"
CEPH = "ceph"
SIMULATED = "simulated"
"""Of sandboxes only: see storage/simulated.py."""

_PLAIN = re.compile(r"[!-~]+")
"""Printable ASCII without blanks. Checked first, since urlsplit silently drops line breaks."""
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def region_name(text: str) -> str:
    """Returns the name if it is valid in a host name: S3 clients send it as the region. ValueError otherwise."""
    if not _NAME.fullmatch(text):
        raise ValueError(
            Sentence(
                "{text} is not a region name; use lower-case letters, digits and hyphens, such as eu-central-2",
                text=repr(text),
            )
        )
    return text


def endpoint(text: str) -> str:
    """Returns the text if it is an http or https address without query, blanks and credentials; it is public.
    ValueError otherwise."""
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
    """The name and the public endpoints of a new region, which may be a simulated one."""

    name: str
    s3_url: str
    iam_url: str
    sts_url: str
    simulated: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class Gateway:
    """The access to a Ceph cluster: the address of a gateway's admin API, and the access key of its admin user."""

    admin_url: str
    access_key: str
    secret_key: str = field(repr=False)
