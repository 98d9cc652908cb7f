"""The codes that the API documents list for each operation, and a check of every problem that a test gets."""

import re
from functools import cache
from typing import Any

import httpx

from tonnage.asgi import create_app
from tonnage.error_codes import CODES
from tonnage.web.openapi import openapi_document
from tonnage.web.problem import MEDIA_TYPE

NAMES = {str(code): code for code in CODES}


@cache
def document() -> dict[str, Any]:
    return openapi_document(create_app("postgresql://not-asked"))


@cache
def _listed() -> list[tuple[str, re.Pattern[str], set[str]]]:
    return [
        (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), set(operation["x-error-codes"]))
        for path, item in sorted(document()["paths"].items(), key=lambda one: "{" in one[0])
        for method, operation in item.items()
    ]


def check_problem(response: httpx.Response) -> None:
    """A problem has a code of the list, which has that status; of an operation, one that the operation lists."""
    if response.headers.get("content-type") != MEDIA_TYPE:
        return
    problem, request = response.json(), response.request
    code = NAMES[problem["code"]]
    assert (code.status, problem["type"]) == (
        response.status_code,
        f"http://{request.url.netloc.decode()}/errors/{code}",
    )
    for method, path, listed in _listed():
        if method == request.method and path.fullmatch(request.url.path):
            assert str(code) in listed, (method, request.url.path, str(code))
            return
