"""What of a cluster's troubles is told to whom."""

import logging
from collections.abc import Generator
from contextlib import contextmanager

from tonnage.errors import Unavailable
from tonnage.storage.errors import Misconfigured

_log = logging.getLogger(__name__)


@contextmanager
def hide_operator_details(account: int) -> Generator[None]:
    """What the operator has to mend is told to nobody else: it names the operator's files and commands."""
    try:
        yield
    except Misconfigured as error:
        _log.warning("an access key of storage account %d could not be made or deleted: %s", account, error)
        raise Unavailable(
            "The storage cluster of this region cannot be used now; the operator has to look at it."
        ) from error
