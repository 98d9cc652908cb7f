"""The mails that members receive."""

from tonnage.mail import Message

FORGOTTEN = "/sign-in/forgotten"
"""The page that requests a reset link."""
NEW_PASSWORD = "/sign-in/new-password"  # noqa: S105  a path
"""The page that a reset link opens; the token is the last part of its path. It only shows a form, because mail programs
open links.
"""


def new_password(email: str, origin: str, token: str) -> Message:
    """The mail with a reset link, for a member who has forgotten the password."""
    return Message(
        email,
        "Choose a new password",
        "Somebody, probably you, asked for a new password for this address.\n\n"
        "Choose it here within an hour:\n\n"
        f"{origin}{NEW_PASSWORD}/{token}\n\n"
        "The link works once. If you did not ask for it, you need not do anything: your password stays as it is.\n",
    )


def blocked(email: str, origin: str) -> Message:
    """The mail about repeated failed attempts at the member's password."""
    return Message(
        email,
        "Failed attempts to sign in",
        "There were many failed attempts to sign in with this address, and further ones from there are held off for a "
        "while.\n\n"
        "If it was you, wait a few minutes, or choose a new password on the device where you want to sign in:\n\n"
        f"{origin}{FORGOTTEN}\n\n"
        "If it was not, nobody has got in. Use a password that you use nowhere else, and a second factor.\n",
    )
