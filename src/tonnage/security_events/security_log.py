"""The lines of the log about security, for the system that collects them (SIEM): one for each event, when it happens.

The audit log has the same events. But what strangers and refused clients do is summed there, after the hour.
"""

import logging
from uuid import UUID

from tonnage.current_request import current_request

LOGGER = "tonnage.security"

_log = logging.getLogger(LOGGER)


def log_event(
    event: str,
    organisation_id: UUID | None = None,
    *,
    member: UUID | None = None,
    key: UUID | None = None,
    code: str = "",
    count: int = 1,
) -> None:
    """Logs an event by its name in the audit log. `code`: why it was refused. Only ids and numbers, and of the request
    the client's address and the request id: a stranger's text must not get into the log.
    """
    said = {"organisation": organisation_id, "member": member, "key": key, "code": code, "count": count}
    facts = {
        name: value if isinstance(value, int) else str(value) for name, value in said.items() if value not in {None, ""}
    }
    current = current_request.get()
    where = {"client": current.address or "unknown", "request": current.id} if current else {}
    text = " ".join(f"{name}={value}" for name, value in {**facts, **where}.items())
    _log.info("%s %s", event, text, extra={"event": event, "facts": facts})
