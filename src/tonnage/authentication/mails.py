"""The mails that members receive."""

from tonnage.mail import Message

FORGOTTEN = "/sign-in/forgotten"
"""The page that requests a reset link."""
NEW_PASSWORD = "/sign-in/new-password"  # noqa: S105  a path
"""The page that a reset link opens; the token is the last part of the link's path. It only shows a form, because mail
programs open links.
"""


def new_password(email: str, origin: str, token: str) -> Message:
    """The mail with a reset link, for a member who has forgotten the password."""
    return Message(
        email,
        "Reset your password",
        "Somebody, probably you, requested a new password for this e-mail address.\n\n"
        "Set a new password within one hour:\n\n"
        f"{origin}{NEW_PASSWORD}/{token}\n\n"
        "The link works once. If you did not request it, ignore this e-mail: your password does not change.\n",
    )


def blocked(email: str, origin: str) -> Message:
    """The mail about repeated failed attempts at the member's password."""
    return Message(
        email,
        "Too many failed sign-in attempts",
        "There were many failed attempts to sign in with this e-mail address. Further attempts from the same network "
        "are blocked for a while.\n\n"
        "If it was you, wait a few minutes, or set a new password on the device where you want to sign in:\n\n"
        f"{origin}{FORGOTTEN}\n\n"
        "If it was not you, nobody got in. Use a password that you use nowhere else, and set up two-factor "
        "authentication.\n",
    )


def many_failures(email: str, origin: str, failures: int) -> Message:
    """The mail about failed attempts from many places."""
    return Message(
        email,
        "Many failed sign-in attempts",
        f"There were {failures} failed attempts within an hour to sign in with this e-mail address.\n\n"
        "If they go on, the password alone is not enough for the rest of the hour: you then request a link by e-mail, "
        "or sign in on a device where you have signed in before.\n\n"
        "If you have forgotten your password, set a new one:\n\n"
        f"{origin}{FORGOTTEN}\n\n"
        "If it was not you, nobody got in. Use a password that you use nowhere else, and set up two-factor "
        "authentication.\n",
    )
