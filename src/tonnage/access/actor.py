"""Kinds of organisation, roles, and the actor that is passed to every action."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal
from uuid import UUID

from tonnage.access.idempotent_request import IdempotentRequest
from tonnage.current_request import current_request
from tonnage.error_codes import RequestCode
from tonnage.errors import Forbidden, ReauthenticationRequired, Sentence


class Kind(StrEnum):
    """Kinds of organisation."""

    OPERATOR = "operator"
    DISTRIBUTOR = "distributor"
    PARTNER = "partner"


class Role(StrEnum):
    """What a member or key may do in its organisation; each includes the ones below it."""

    ADMIN = "admin"
    STAFF = "staff"
    VIEWER = "viewer"

    def includes(self, other: "Role") -> bool:
        """Whether this role has all permissions of `other`."""
        return _RANK[self] >= _RANK[other]


_RANK = {Role.VIEWER: 0, Role.STAFF: 1, Role.ADMIN: 2}


@dataclass(frozen=True)
class Actor:
    """The originator of an action, which acts for an organisation: an API key, a console login, the operator's command
    line or a job.
    """

    organisation_id: UUID
    kind: Kind
    role: Role
    via: Literal["key", "member", "cli", "job"]
    via_id: UUID | None = None
    """The id of the key or member. None on the command line and in jobs."""
    request: IdempotentRequest | None = None
    """The request, if it has an Idempotency-Key."""
    must_reauthenticate: bool = False
    """A member who proved too long ago who it is, for what could give others access."""
    suspension_reason: str | None = None
    """Why its organisation, a partner, is suspended. None: it is not."""

    @classmethod
    def on_command_line(cls, organisation_id: UUID, kind: Kind) -> "Actor":
        """The operator at the command line, which may act for any organisation."""
        return cls(organisation_id, kind, Role.ADMIN, "cli")

    @property
    def scope(self) -> UUID | None:
        """The organisation whose things the actor may look at, with its partners'; None for the operator: all."""
        return None if self.kind is Kind.OPERATOR else self.organisation_id

    @property
    def stamp(self) -> str:
        """The actor and its present request as JSON, for the SQL functions `audit` and `save_response`. The command
        line acts for other organisations without a name.
        """
        by: dict[str, object] = {"kind": self.via}
        if self.via_id is not None:
            by |= {"id": str(self.via_id), "organisation": str(self.organisation_id)}
        if self.request is not None:
            by["idempotency"] = self.request.as_json()
        return _stamp(by)

    def require_recent_authentication(self) -> None:
        """Raises ReauthenticationRequired for a member who must first prove again who it is: an open session alone does
        not give others access.
        """
        if self.must_reauthenticate:
            raise ReauthenticationRequired

    def require_for_storage(self, role: Role) -> None:
        """Raises Forbidden unless the actor has at least that role, and its organisation is not suspended: then its
        storage accounts and their access keys are changed by its distributor only.
        """
        self.require(self.kind, role)
        if self.suspension_reason is not None:
            raise partner_suspended(self.suspension_reason)

    def require(self, kind: Kind, role: Role) -> None:
        """Raises Forbidden, with the required kind and role, unless the actor is of that kind and has at least that
        role.
        """
        if self.kind is not kind:
            raise Forbidden(self._lacks(kind, role), RequestCode.WRONG_KEY_KIND)
        if not self.role.includes(role):
            raise Forbidden(self._lacks(kind, role), RequestCode.ROLE_TOO_LOW)

    def _lacks(self, kind: Kind, role: Role) -> str:
        if self.via == "key":
            return (
                f"This is {_a(self.kind)}'s key with the role {self.role}; this operation needs {_a(kind)}'s key"
                f"{_WITH_ROLE[role]}."
            )
        if self.kind is not kind:
            return f"This is for {_a(kind)}; you belong to {_a(self.kind)}."
        return f"This needs the role {role}; yours is {self.role}."


_AS_WRITTEN = "{reason}"
"""Of a sentence that no catalogue has."""


def suspension_reason(reason: str | None, overdue: Mapping[str, str] | None) -> Sentence | None:
    """Why a partner is suspended: the words of a person as they are; or, in any language, a statement of which the rule
    about overdue statements has stored these facts."""
    if reason is None:
        return None
    if overdue is None:
        return Sentence(_AS_WRITTEN, reason=reason)
    day = date.fromisoformat(overdue["dueOn"])
    return Sentence("Statement {number} is overdue since {day}", number=overdue["number"], day=day)


def partner_suspended(reason: str) -> Forbidden:
    """The error for a change that a suspended partner cannot make."""
    return Forbidden(
        "Your organisation is suspended, so its storage accounts cannot be changed, and its API keys can only read. "
        "Reason: {reason}",
        RequestCode.PARTNER_SUSPENDED,
        reason=reason,
    )


def member_stamp() -> str:
    """The stamp of a member whose id and organisation only the statement knows, which adds them."""
    return _stamp({"kind": "member"})


def system_stamp() -> str:
    """The stamp of what no member and no key does: it happens, or the present request is a stranger's."""
    return _stamp({"kind": "job"})


def _stamp(by: dict[str, object]) -> str:
    current = current_request.get()
    return json.dumps(by | current.as_json() if current else by)


_WITH_ROLE = {
    Role.VIEWER: "",
    Role.STAFF: f" with the role {Role.STAFF} or {Role.ADMIN}",
    Role.ADMIN: f" with the role {Role.ADMIN}",
}


def _a(kind: Kind) -> str:
    return f"{'an' if kind is Kind.OPERATOR else 'a'} {kind}"
