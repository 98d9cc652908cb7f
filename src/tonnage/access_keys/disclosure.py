"""Which details of a cluster's problems are disclosed to whom."""

import logging
from collections.abc import Generator
from contextlib import contextmanager

from tonnage.error_codes import UnavailableCode
from tonnage.errors import Unavailable
from tonnage.storage.errors import Misconfigured

_log = logging.getLogger(__name__)


@contextmanager
def hide_operator_details(account: int) -> Generator[None]:
    """Hides from everybody else what only the operator can act on: it names the operator's files and commands."""
    try:
        yield
    except Misconfigured as error:
        _log.warning("could not create or delete an access key of storage account %d: %s", account, error)
        raise Unavailable(
            "The storage cluster of this region is not available. Contact the operator.",
            UnavailableCode.CLUSTER_UNAVAILABLE,
        ) from error
