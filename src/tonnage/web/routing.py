"""Routes that check in the documented order, and a route table that is faster than trying all of them.

FastAPI reads and parses the body before it solves dependencies, so a client without authentication would get errors
about its body. An `AuthFirstRoute` authenticates first: 401, 403, then 415, 413, 400, 422.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, ClassVar, Generic, TypeVar, cast

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from tonnage.error_codes import Code
from tonnage.web.body import JsonRequest
from tonnage.web.dependency_solver import are_simple, arguments

T = TypeVar("T")

_API = ("/v1/", "/ext/v1/")
_AUTH_RESULTS = "tonnage.auth_results"
_FOUND = "tonnage.route"


class AuthDependency(Generic[T]):
    """An authentication dependency: an `AuthFirstRoute` runs it before it reads the body.

    Handlers use it like any other: `actor: Annotated[Actor, Depends(distributor_staff)]`, where `distributor_staff =
    AuthDependency(check)` and `check(request)` returns the actor or raises Unauthenticated or Forbidden. The result is
    stored in the request's scope, and FastAPI gets it when it solves the dependencies. On any other route it is an
    ordinary dependency. `restricts`: whether it admits only some kinds or roles, for the API documents.
    """

    def __init__(self, check: Callable[[Request], Awaitable[T]], *, restricts: bool = True) -> None:
        self.check = check
        self.restricts = restricts

    async def __call__(self, request: Request) -> T:
        """The result of `check`, which runs once per request."""
        answers = request.scope.setdefault(_AUTH_RESULTS, {})
        if self not in answers:
            answers[self] = await self.check(request)
        return answers[self]


def is_of_api(scope: Scope) -> bool:
    """Whether a request is for a path of the published API or of its extensions."""
    return scope["path"].removeprefix(scope.get("root_path", "")).startswith(_API)


def auth_results(scope: Scope) -> Iterable[Any]:
    """The results of this request's authentication dependencies."""
    return scope.get(_AUTH_RESULTS, {}).values()


def replace_auth_results(scope: Scope, change: Callable[[T], T]) -> list[T]:
    """Replaces the results of this request's authentication dependencies, before its handler gets them; returns the new
    ones.
    """
    results: dict[Any, T] = scope.get(_AUTH_RESULTS, {})
    for dependency, result in results.items():
        results[dependency] = change(result)
    return list(results.values())


class AuthFirstRoute(APIRoute):
    """The route class of an APIRouter; the authentication dependencies are in the handler's signature."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wraps the handler: authentication dependencies first, then our own reading of the body."""
        inner = self.get_inner_handler()
        auth_checks = tuple(auth_dependencies(self.dependant))
        takes_body = self.body_field is not None

        async def handle(request: Request) -> Response:
            for check in auth_checks:
                await check(request)
            return await inner(await JsonRequest.read(request) if takes_body else request)

        return handle

    def get_inner_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The rest: FastAPI solves the handler's arguments and calls it."""
        return super().get_route_handler()


class ApiRoute(AuthFirstRoute):
    """A route of the API: our own solver finds the arguments, where it supports all of them.

    Lean requests are the rule here, and FastAPI's solver takes a third of their CPU time. A page costs many times that.
    """

    change_codes: ClassVar[tuple[Code, ...]] = ()
    """What a route of this class itself can refuse a change with; its handler may refuse more."""
    change_parameters: ClassVar[tuple[dict[str, Any], ...]] = ()
    """The headers that a route of this class itself reads in a change, as in an OpenAPI 3 operation."""

    def get_inner_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The same, faster for handlers with simple parameters."""
        if not are_simple(self):
            return super().get_inner_handler()
        takes_body = self.body_field is not None

        async def call(request: Request) -> Response:
            body = await request.json() if takes_body else None
            return await self.endpoint(**await arguments(request, self.dependant, body))

        return call


def auth_dependencies(dependant: Dependant) -> Iterable[AuthDependency[Any]]:
    """The authentication dependencies of a route, outermost first."""
    for dependency in dependant.dependencies:
        yield from auth_dependencies(dependency)
        call: Any = dependency.call
        if isinstance(call, AuthDependency):
            yield cast("AuthDependency[Any]", call)


class RouteTable(BaseRoute):
    """Finds a route by its method and the number of segments of its path.

    FastAPI tries every route in turn, and an included router twice: with fifty operations that took more CPU time than
    all the rest of a lean request. What is not in the table falls through to the list of routes after it, which also
    answers 404 and 405. A path without parameters takes precedence over one with parameters, in any order of
    declaration, and for every method: `/account/list` is not an account that could be deleted.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._exact: dict[tuple[str, str], Route] = {}
        self._without_parameters: set[str] = set()
        self._shaped: dict[tuple[str, int], list[Route]] = {}
        for route in routes:
            if isinstance(route, Route):
                self._add(route)

    def _add(self, route: Route) -> None:
        for method in route.methods or ():
            if not route.param_convertors:
                self._exact.setdefault((method, route.path), route)
                self._without_parameters.add(route.path)
            elif all(convertor.regex == "[^/]+" for convertor in route.param_convertors.values()):
                self._shaped.setdefault((method, route.path.count("/")), []).append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """FULL for a matching route, for a path that has only other methods, and for OPTIONS; NONE leaves the request
        to the list of routes.
        """
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            return Match.FULL, {_FOUND: self}
        if scope["type"] != "http" or scope.get("root_path"):
            return Match.NONE, {}
        method, path = scope["method"], scope["path"]
        exact = self._exact.get((method, path))
        if not exact and path in self._without_parameters:
            return Match.FULL, {_FOUND: self}
        for route in (exact,) if exact else self._shaped.get((method, path.count("/")), ()):
            match, child = route.matches(scope)
            if match is Match.FULL:
                child[_FOUND] = route
                return match, child
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Delegates to the route that `matches` found, and answers OPTIONS for all routes. Raises HTTPException: the
        path has only other methods, or for OPTIONS none.
        """
        if scope[_FOUND] is not self:
            await scope[_FOUND].handle(scope, receive, send)
        elif scope["method"] != "OPTIONS":
            raise HTTPException(405)
        elif allowed := allowed_methods(scope):
            await Response(status_code=204, headers={"Allow": allowed})(scope, receive, send)
        else:
            raise HTTPException(404)


def allowed_methods(scope: Scope) -> str:
    """The value of `Allow` for the path of a request, with HEAD and OPTIONS; empty for a path that does not exist."""
    # FastAPI registers a route per method, and Starlette's own Allow lists only the methods of the first route that
    # matches.
    scope = dict(scope)
    of: dict[str | None, set[str]] = {}
    for route in iter_route_contexts(scope["app"].routes):
        if route.methods and route.matches(scope)[0] is not Match.NONE:
            of.setdefault(route.path, set()).update(route.methods)
    # As in the table, a path without parameters takes precedence over those that also match it.
    methods = of.get(scope["path"]) or set[str]().union(*of.values())
    if "GET" in methods:
        methods |= {"HEAD"}
    return ", ".join(sorted(methods | {"OPTIONS"})) if methods else ""


def route_of(scope: Scope) -> Route | None:
    """The route that was found for a request."""
    found = scope.get(_FOUND)
    return found if isinstance(found, Route) else None


def template_of(scope: Scope) -> str:
    """The path template of the route that was found for a request; `other` if there was none."""
    found = route_of(scope)
    return found.path if found else "other"


def mount(app: FastAPI, *routers: APIRouter) -> None:
    """Adds the routes of `routers`, which have their own prefixes, to `app`. Call it once, after everything else.

    Replaces `include_router`, which keeps routers nested and searches them at every request.
    """
    for router in routers:
        app.router.routes.extend(router.routes)
    app.router.routes.insert(0, RouteTable(app.router.routes))
