"""An endpoint: where an organisation gets its events."""

from dataclasses import dataclass
from uuid import UUID

from tonnage.bigint import parse_bigint
from tonnage.errors import Invalid, NotFound

MOST_ENDPOINTS = 10
"""Of an organisation."""
MOST_SECRETS = 2
"""Of an endpoint: one that receivers still use, and one that they change to."""
TEST = "webhook.test"
"""The type of the event that is sent on request."""


@dataclass(frozen=True)
class EndpointChange:
    """What is set; None: as it is."""

    url: str | None = None
    description: str | None = None
    """"" is none."""
    types: tuple[str, ...] | None = None
    """() is all."""
    enabled: bool | None = None

    def require_types(self, visible: set[str]) -> None:
        """Invalid: a type that the organisation cannot see, or that does not exist."""
        for type_ in self.types or ():
            if type_ not in visible:
                raise Invalid.field(
                    "types",
                    "there are no events of the type {type} for you; GET /ext/v1/event-types lists the types",
                    type=type_,
                )


@dataclass(frozen=True)
class SendingEndpoint:
    """What is needed to send to it."""

    id: UUID
    organisation_id: UUID
    kind: str
    """Of the organisation."""
    url: str
    secret_ids: tuple[UUID, ...]
    """The newest first."""


def no_endpoint(endpoint_id: UUID) -> NotFound:
    """The error for an unknown endpoint, or that of another organisation."""
    return NotFound("There is no webhook {id}. GET /ext/v1/webhooks lists yours.", id=str(endpoint_id))


def read_delivery_id(text: str) -> int:
    """NotFound: it cannot be one."""
    number = parse_bigint(text)
    if number is None:
        raise no_delivery(text)
    return number


def no_delivery(delivery_id: int | str) -> NotFound:
    """The error for an unknown delivery, or that of another endpoint."""
    return NotFound("There is no delivery {id} of this webhook.", id=str(delivery_id))
