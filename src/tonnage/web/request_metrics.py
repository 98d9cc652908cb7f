"""Requests, counted and timed for Prometheus. Per process, in memory, 2 microseconds each."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.process_collector import ProcessCollector
from starlette.types import Scope

from tonnage.web.routing import template_of

_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

# The creation time of a series is a series of its own and would double their number; Prometheus detects a restart
# without it.
disable_created_metrics()


class Requests:
    """The metrics of this process and its requests for `/metrics`: `registry`.

    Labels come from closed sets: the template of the route and never the path, `other` without a route; the method if
    it is a usual one; and the status, `none` if the client disconnected before there was one.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "tonnage_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "tonnage_request_seconds",
            "Duration of requests, to the last byte of the response.",
            ("method", "route"),
            registry=self.registry,
            buckets=_BUCKETS,
        )
        # Looking up a series by its labels costs more than counting.
        self._bound: dict[tuple[str, str, int], tuple[Callable[[], None], Callable[[float], None]]] = {}

    def count(self, method: str, scope: Scope, status: int, seconds: float) -> None:
        """Counts a finished request. `method` is the client's: in the scope HEAD is GET. `status` 0: none was sent."""
        # A client may invent methods, and the number of series must not grow with them.
        key = (method if method in _METHODS else "other", template_of(scope), status)
        bound = self._bound.get(key)
        if bound is None:
            bound = self._bound[key] = self._bind(*key)
        count, observe = bound
        count()
        observe(seconds)

    def _bind(self, method: str, route: str, status: int) -> tuple[Callable[[], None], Callable[[float], None]]:
        counter = self._requests.labels(method, route, str(status or "none"))
        return counter.inc, self._seconds.labels(method, route).observe
