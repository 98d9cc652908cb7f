"""A region: where storage accounts live."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def region_name(text: str) -> str:
    """The name itself if it can stand in a host name: S3 clients send it. Raises ValueError."""
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a region name; use lower-case letters, digits and hyphens, such as eu-central-2"
        )
    return text


def endpoint(text: str) -> str:
    """An http or https address without a query. Raises ValueError."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is not an endpoint; write it as https://host[:port][/path]")
    return text.rstrip("/")


@dataclass(frozen=True)
class NewRegion:
    """Its name and the endpoints that its customers use."""

    name: str
    s3_url: str
    iam_url: str
    sts_url: str
    plane: str = "metered"
