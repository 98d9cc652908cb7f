"""Maps Ceph's error responses to errors. Their `Message` is always empty, so the messages are ours."""

import json
import re
from http import HTTPStatus
from typing import Any, cast

import httpx

from tonnage.error_codes import UnavailableCode
from tonnage.errors import TonnageError, Unavailable
from tonnage.storage.errors import BackendRefused, Misconfigured, NotProvisioned

# With STS enabled the gateway answers AccessDenied for all three, so they cannot be distinguished.
_ACCESS = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"}

_FOR_THE_OPERATOR = {
    **dict.fromkeys(_ACCESS, "The storage cluster refuses the region's credentials, or they lack a capability"),
    "RequestTimeTooSkewed": "The clocks of the storage cluster and of this machine differ too much",
    "UserSuspended": "The region's user on the storage cluster is suspended",
    "MethodNotAllowed": "The server at the region's address is not a Ceph gateway with the admin API",
}

_REFUSED = {
    "EmailExists": "another user of the cluster has this e-mail address",
    "KeyExists": "another user of the cluster has an access key of this name",
    "InvalidArgument": "it does not accept a value",
    "BucketAlreadyExists": "buckets are left in the account",
    "BucketNotEmpty": "objects are left in the account",
    "ObjectLocked": "an object lock is in force",
}


_XML_CODE = re.compile(rb"<Error>.*?<Code>(\w+)</Code>", re.DOTALL)


def code_of(answer: httpx.Response) -> str:
    """The `Code` of an error response; '' if the response is not from Ceph."""
    if found := _XML_CODE.search(answer.content):  # of the S3 API
        return found[1].decode()
    try:
        error: Any = json.loads(answer.content)
    except ValueError:
        return ""
    return str(cast("dict[str, Any]", error).get("Code", "")) if isinstance(error, dict) else ""


def refusal(answer: httpx.Response) -> TonnageError:
    """The error for an unsuccessful response."""
    status, code = answer.status_code, code_of(answer)
    if sentence := _FOR_THE_OPERATOR.get(code):
        return Misconfigured(f"{sentence} ({code}). Run `tonnage region check` for details.", code)
    if code == "NoSuchUser":
        return NotProvisioned("The account is not on the storage cluster yet. Try again in a moment.")
    if (
        status >= HTTPStatus.INTERNAL_SERVER_ERROR and code != "NotImplemented"
    ) or status == HTTPStatus.TOO_MANY_REQUESTS:
        return Unavailable(
            f"The storage cluster cannot do this at the moment ({code or status}). Try again later.",
            UnavailableCode.CLUSTER_UNAVAILABLE,
        )
    if not code:
        return not_ceph(f"status {status}")
    reason = _REFUSED.get(code, "it gives no reason")
    return BackendRefused(f"The storage cluster refused the request: {reason} ({code}).", code)


def not_ceph(seen: str) -> Misconfigured:
    """The error for a response that Ceph's gateway would not send: a proxy's page, another server's."""
    return Misconfigured(f"The server at the region's address is not a Ceph gateway: {seen}. Correct the address.")
