"""The events of mails with statements: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (Event("statements.mail", "Mailed statement", EVERY_KIND, type="statement.issued", is_private=True),)
