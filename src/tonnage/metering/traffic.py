"""How far back the traffic of a cluster is read, and the retention of its log."""

from datetime import timedelta

FARTHEST_BACK = timedelta(days=14)
"""How far back the log is read after an outage. Older hours are not read, and the totals of those days stay too small.
"""

KEPT_ON_CLUSTER = timedelta(days=7)
"""Retention of the log on the cluster. Each hour has been read twice long before it is trimmed."""
