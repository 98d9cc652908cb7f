"""The events of authentication: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("member.sign-in", "Signed in", EVERY_KIND),
    Event("member.sign-out", "Signed out", EVERY_KIND),
    Event("member.add-second-factor", "Set up two-factor authentication", EVERY_KIND),
    Event("member.remove-second-factor", "Removed two-factor authentication", EVERY_KIND),
    Event("member.reset-second-factor", "Reset two-factor authentication", EVERY_KIND),
    Event("member.renew-recovery-codes", "Created recovery codes", EVERY_KIND),
    Event("member.use-recovery-code", "Used recovery code", EVERY_KIND),
    Event("member.blocked", "Blocked sign-in after too many failed attempts", EVERY_KIND, type="member.blocked"),
    Event("member.sign-in-failures", "Many failed attempts to sign in", EVERY_KIND),
    Event("organisation.require-second-factor", "Changed two-factor authentication requirement", EVERY_KIND),
)
