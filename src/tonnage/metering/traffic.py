"""How far back the traffic of a cluster is read, and how long it stays there."""

from datetime import timedelta

FARTHEST_BACK = timedelta(days=14)
"""After an outage, this much is read; what is older is not, and those days stay too small."""

KEPT_ON_CLUSTER = timedelta(days=7)
"""Of the log. Each hour has been read twice long before it goes."""
