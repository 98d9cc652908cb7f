"""Tonnage's own bucket on a Ceph cluster. It belongs to the region's admin user, and is reached over the S3 API."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from xml.etree import ElementTree

import httpx

from tonnage.errors import TonnageError
from tonnage.storage.admin_ops import AdminOps
from tonnage.storage.bucket import ObjectList, StoredObject
from tonnage.storage.ceph_errors import code_of, not_ceph, refusal
from tonnage.storage.errors import Misconfigured

BUCKET = "tonnage-state"
"""One name for all installations: bucket names are unique on a cluster, so a second installation is noticed."""

_S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"

_UNUSABLE = {
    "BucketAlreadyExists": "it belongs to another user of the cluster, probably of another installation of Tonnage",
    "TooManyBuckets": "the region's user may not create another bucket",
    "QuotaExceeded": "the quota of the region's user is used up",
}


class CephBucket:
    """Implements `Bucket`."""

    def __init__(self, ops: AdminOps, page_size: int = 1000) -> None:
        self._ops = ops
        self._page_size = page_size

    async def objects(self, prefix: str) -> ObjectList:
        """As `Bucket.objects`, in pages."""
        found: list[StoredObject] = []
        asked = {"list-type": "2", "prefix": prefix, "max-keys": str(self._page_size)}
        more: dict[str, str] = {}
        while True:
            answer = await self._ops.object_request("GET", BUCKET, asked | more)
            if code_of(answer) == "NoSuchBucket":
                return ObjectList(_time_of(answer))
            page, token = _page(_accepted(answer))
            found += page
            if not token:
                # Of the last page: nothing in the listing is newer than this.
                return ObjectList(_time_of(answer), tuple(found))
            more = {"continuation-token": token}

    async def exists(self) -> bool:
        """Whether there is a bucket yet, and it may be used."""
        answer = await self._ops.object_request("GET", BUCKET, {"list-type": "2", "max-keys": "1"})
        if code_of(answer) == "NoSuchBucket":
            return False
        _accepted(answer)
        return True

    async def create(self, key: str, content: bytes = b"") -> bool:
        """As `Bucket.create`. Ceph decides atomically which of several concurrent requests creates the object."""
        answer = await self._create(key, content)
        if code_of(answer) == "NoSuchBucket":
            _accepted(await self._ops.object_request("PUT", BUCKET))
            answer = await self._create(key, content)
        if answer.status_code == HTTPStatus.PRECONDITION_FAILED:
            return False
        _accepted(answer)
        return True

    async def _create(self, key: str, content: bytes) -> httpx.Response:
        return await self._ops.object_request("PUT", f"{BUCKET}/{key}", content=content, new=True)

    async def read(self, key: str) -> bytes | None:
        """As `Bucket.read`."""
        answer = await self._ops.object_request("GET", f"{BUCKET}/{key}")
        return None if _is_missing(answer) else _accepted(answer).content

    async def delete(self, key: str) -> None:
        """As `Bucket.delete`."""
        answer = await self._ops.object_request("DELETE", f"{BUCKET}/{key}")
        if not _is_missing(answer):
            _accepted(answer)


def _is_missing(answer: httpx.Response) -> bool:
    return code_of(answer) in {"NoSuchBucket", "NoSuchKey"}


def _accepted(answer: httpx.Response) -> httpx.Response:
    if answer.status_code in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
        return answer
    raise _error(answer)


def _error(answer: httpx.Response) -> TonnageError:
    code = code_of(answer)
    reason = _UNUSABLE.get(code)
    if reason is None and code == "AccessDenied":
        reason = "the region's user has no access to it, or may not create buckets"
    if reason is None:
        return refusal(answer)
    return Misconfigured(f"The bucket {BUCKET} on the storage cluster cannot be used: {reason} ({code}).", code)


def _time_of(answer: httpx.Response) -> datetime:
    """The cluster's time. The header has whole seconds, truncated: so nothing is considered older than it is."""
    try:
        return parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError):
        raise not_ceph("its answer has no date") from None


def _page(answer: httpx.Response) -> tuple[list[StoredObject], str | None]:
    """The objects of a page of the listing, and the token of the next page."""
    try:
        root = ElementTree.fromstring(answer.content)  # noqa: S314  from the operator's cluster, and expat limits entities
        found = [
            StoredObject(one.findtext(f"{_S3}Key", ""), datetime.fromisoformat(one.findtext(f"{_S3}LastModified", "")))
            for one in root.iter(f"{_S3}Contents")
        ]
        more = root.findtext(f"{_S3}IsTruncated") == "true"
        token = root.findtext(f"{_S3}NextContinuationToken") if more else None
    except (ElementTree.ParseError, ValueError):
        raise not_ceph("its list of objects has an unexpected format") from None
    if more and not token:
        raise not_ceph("its list of objects cannot be continued")
    return found, token
