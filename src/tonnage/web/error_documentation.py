"""The pages about error codes, at /errors and /errors/CODE: where the `type` of every problem leads."""

import base64
import hashlib
import json
import re
from html import escape
from string import Template

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from tonnage.error_codes import CODES, Code
from tonnage.web.problem import problem_example, title

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
code, pre { font-family: ui-monospace, monospace; font-size: .9em }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: 1rem; border: 1px solid #8888; border-radius: .3rem }
dt { margin-top: .7rem; font-weight: 600 }
dd { margin: 0 }
"""

_PAGE = Template(
    "<!doctype html>\n"
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    f"<title>$title</title><style>{_STYLE}</style></head>\n<body><main>\n$content\n</main></body></html>\n"
)

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
}

_BY_NAME = {str(code): code for code in CODES}


def install(app: FastAPI) -> None:
    """Adds the pages."""
    app.add_route("/errors", _all, include_in_schema=False)
    app.add_route("/errors/{code}", _one, include_in_schema=False)


async def _all(_: Request) -> Response:
    listed = "\n".join(
        f'<dt><a href="/errors/{code}"><code>{code}</code></a> {code.status}</dt>'
        f"<dd>{_marked(code.explanation.meaning)}</dd>"
        for code in sorted(CODES, key=str)
    )
    about = "<p>Every error has one of these codes in its member <code>code</code>. Sentences may change, codes do not."
    return _page("Error codes", f"<h1>Error codes</h1>\n{about}</p>\n<dl>\n{listed}\n</dl>")


async def _one(request: Request) -> Response:
    code = _BY_NAME.get(request.path_params["code"])
    if code is None:
        raise HTTPException(404)
    return _page(str(code), _content(code, request.scope))


def _content(code: Code, scope: Scope) -> str:
    about = code.explanation
    example = json.dumps(problem_example(code, scope), indent=2, ensure_ascii=False)
    return "\n".join(
        (
            f"<h1><code>{code}</code></h1>",
            f"<p>Status {code.status}, {title(code.status)}</p>",
            f"<h2>What it means</h2>\n<p>{_marked(about.meaning)}</p>",
            f"<h2>What to do</h2>\n<p>{_marked(about.remedy)}</p>",
            f"<h2>Example</h2>\n<pre>{escape(example)}</pre>",
            '<p><a href="/errors">All error codes</a></p>',
        )
    )


def _marked(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))


def _page(name: str, content: str) -> Response:
    return Response(_PAGE.substitute(title=f"{name} - Tonnage", content=content), 200, _HEADERS, "text/html")
