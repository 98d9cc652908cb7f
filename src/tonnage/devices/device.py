"""A known device: a browser in which a member has signed in before, or has opened a link from a mail.

Its cookie has a random token that belongs to one member, as in OWASP's "device cookies". Strangers' failed attempts
neither block its sign-ins nor make them need a link. It is no session: the password, and the code, are still needed.
"""

from datetime import timedelta

from tonnage.errors import Sentence

KNOWN_FOR = timedelta(days=180)
"""After the last sign-in."""

MOST_DEVICES = 20
"""Of a member; the one that has not signed in for the longest time is forgotten."""

LINK_VALID_FOR = timedelta(minutes=15)
LINK_PAUSE = timedelta(minutes=5)

LINK = "/sign-in/link"
"""The page that requests a link."""
OPEN_LINK = "/sign-in/device"
"""The page that a link opens; the token is the last part of its path."""

BAD_LINK = Sentence(
    "This link no longer works: it was used, replaced by a newer one, or is more than 15 minutes old. "
    "Request a new one."
)
