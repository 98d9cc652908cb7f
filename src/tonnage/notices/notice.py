"""A mail to a member about a login: what has happened, as an entry of the audit log says it."""

from dataclasses import dataclass
from typing import Any

from tonnage.access.audit import AuditEntry
from tonnage.errors import Sentence

_SUBJECTS = {
    "member.set-password": Sentence("Your password was changed"),
    "member.add-second-factor": Sentence("Two-factor authentication was set up"),
    "member.remove-second-factor": Sentence("Two-factor authentication was turned off"),
    "member.reset-second-factor": Sentence("Your two-factor authentication was reset"),
    "member.renew-recovery-codes": Sentence("You have new recovery codes"),
    "member.update": Sentence("Your role was changed"),
    "member.sign-in": Sentence("Sign-in in a new browser"),
    "key.create": Sentence("An API key was created"),
    "key.revoke": Sentence("An API key was revoked"),
}

_KEYS = "/keys"
"""The page of API keys."""


@dataclass(frozen=True)
class Notice:
    """What has happened."""

    entry: AuditEntry
    """With what may be disclosed to the reader."""

    @property
    def is_about_key(self) -> bool:
        """Then the admins of the organisation get it, else the member."""
        return self.entry.action.startswith("key.")

    @property
    def subject(self) -> Sentence:
        """In one line."""
        return _SUBJECTS[self.entry.action]

    def sentences(self, email: str, origin: str, new_password: str) -> list[Sentence]:
        """The lines of the mail. `origin`: what links begin with; `new_password`: the path of that page."""
        entry = self.entry
        if self.is_about_key:
            about = Sentence("API key: {key}", key=entry.subject_name or entry.subject_id)
            advice = Sentence("If you do not know why, ask the other admins, and look at {link}", link=origin + _KEYS)
        else:
            about = Sentence("Your login: {email}", email=email)
            advice = Sentence(
                "If it was not you, and you do not know why, set a new password at {link} and tell an admin of your "
                "organisation.",
                link=origin + new_password,
            )
        after: dict[str, Any] = entry.after or {}
        role = [Sentence("Role: {role}", role=after["role"])] if "role" in after else []
        return [about, *role, Sentence("Time: {at}", at=entry.at), *self._whence(), advice]

    def _whence(self) -> list[Sentence]:
        entry = self.entry
        if entry.actor_organisation is None:
            return [Sentence("By: the operator, at the command line")]
        if entry.actor_organisation != entry.organisation:
            return [Sentence("By: {organisation}", organisation=entry.actor_organisation)]
        return [] if entry.address is None else [Sentence("From the network address: {address}", address=entry.address)]
