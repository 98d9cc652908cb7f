"""A mail to members about a login, an API key or a webhook: what has happened, as an entry of the audit log says it."""

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
    "webhook.disable": Sentence("A webhook was disabled"),
}

_KEYS = "/keys"
_WEBHOOKS = "/webhooks"
"""Paths of pages."""

_WHY_DISABLED = {
    "gone": Sentence("Why: its server answered 410 Gone"),
    "failing": Sentence("Why: nothing has arrived for five days"),
}


@dataclass(frozen=True)
class Notice:
    """What has happened."""

    entry: AuditEntry
    """With what may be disclosed to the reader."""

    @property
    def is_for_admins(self) -> bool:
        """Then the admins of the organisation get it, else the member."""
        return self.entry.action.startswith(("key.", "webhook."))

    @property
    def subject(self) -> Sentence:
        """In one line."""
        return _SUBJECTS[self.entry.action]

    def sentences(self, email: str, origin: str, new_password: str) -> list[Sentence]:
        """The lines of the mail. `origin`: what links begin with; `new_password`: the path of that page."""
        entry = self.entry
        at = Sentence("Time: {at}", at=entry.at)
        after: dict[str, Any] = entry.after or {}
        if entry.action == "webhook.disable":
            about = Sentence("Webhook: {url}", url=after["url"])
            link = f"{origin}{_WEBHOOKS}/{entry.subject_id}"
            advice = Sentence(
                "Events are not sent to it any more. When its server works, enable the webhook and send again what has "
                "failed: {link}",
                link=link,
            )
            return [about, _WHY_DISABLED[after["reason"]], at, advice]
        if self.is_for_admins:
            about = Sentence("API key: {key}", key=entry.subject_name or entry.subject_id)
            advice = Sentence("If you do not know why, ask the other admins, and look at {link}", link=origin + _KEYS)
        else:
            about = Sentence("Your login: {email}", email=email)
            advice = Sentence(
                "If it was not you, and you do not know why, set a new password at {link} and tell an admin of your "
                "organisation.",
                link=origin + new_password,
            )
        role = [Sentence("Role: {role}", role=after["role"])] if "role" in after else []
        return [about, *role, at, *self._whence(), advice]

    def _whence(self) -> list[Sentence]:
        entry = self.entry
        if entry.actor_organisation is None:
            return [Sentence("By: the operator, at the command line")]
        if entry.actor_organisation != entry.organisation:
            return [Sentence("By: {organisation}", organisation=entry.actor_organisation)]
        return [] if entry.address is None else [Sentence("From the network address: {address}", address=entry.address)]
