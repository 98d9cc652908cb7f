"""A page made for a test, with the console's real scripts, styles and content policy. There is no server:
the browser's requests are answered here."""

from pathlib import Path

from playwright.sync_api import BrowserContext, Page, Request, Route

_CONSOLE = Path(__file__).parents[2] / "src/tonnage/console"
_FOLDERS = (_CONSOLE / "assets", _CONSOLE / "vendor")
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_DOCUMENT = """<!doctype html>
<html lang="en" data-locale="{locale}"><head><meta charset="utf-8"><title>A sheet</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="htmx-config" content='{{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false}}'>
<link rel="icon" href="data:,">
{links}
</head><body><main><h1>A sheet</h1>{body}</main><p class="sr-only" aria-live="polite" id="live"></p></body></html>"""


class StubPage:
    """`stub.show(body)` answers every GET of a page with it; POSTs are kept and answered with a redirect."""

    def __init__(self, context: BrowserContext, origin: str = "https://tonnage.test") -> None:
        self.origin = origin
        self.page: Page = context.new_page()
        self.posted: list[Request] = []
        self.parts: dict[str, tuple[int, str]] = {}
        """Status and body of other GETs, by path with query."""
        self._html = ""
        context.route(f"{origin}/**", self._answer)

    def show(self, body: str, *, chart: bool = False, locale: str = "en-GB") -> Page:
        """Returns the loaded page."""
        styles = ["uPlot.min.css", "console.css", "chart.css"] if chart else ["console.css"]
        scripts = [
            "htmx.min.js",
            *(["uPlot.iife.min.js"] if chart else []),
            "numbers.js",
            "passwords.js",
            "console.js",
            *(["chart.js"] if chart else []),
        ]
        links = [f'<link rel="stylesheet" href="/static/{name}">' for name in styles]
        links += [f'<script src="/static/{name}" defer></script>' for name in scripts]
        self._html = _DOCUMENT.format(locale=locale, links="\n".join(links), body=body)
        self.page.goto(f"{self.origin}/")
        return self.page

    def _answer(self, route: Route, request: Request) -> None:
        path = request.url.removeprefix(self.origin)
        if request.method == "POST":
            self.posted.append(request)
            route.fulfill(status=303, headers={"Location": "/"})
        elif path.startswith("/static/"):
            file = next(file for folder in _FOLDERS if (file := folder / path.removeprefix("/static/")).exists())
            route.fulfill(body=file.read_bytes(), headers={"Content-Type": _TYPES[file.suffix]})
        else:
            status, html = self.parts.get(path, (200, self._html))
            headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": _POLICY}
            route.fulfill(status=status, body=html, headers=headers)
