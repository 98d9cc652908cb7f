"""The closed list of what can go wrong for a caller. Each door turns them into its own form; nothing else crosses."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One field of the input that breaks a rule."""

    field: str
    message: str


class TonnageError(Exception):
    """A refusal. `str(error)` is one English sentence: what is wrong and what to do."""


class Malformed(TonnageError):
    """The input cannot be read at all: broken JSON, a malformed id or day in a path or query."""

    def __init__(self, message: str, fields: tuple[FieldError, ...] = ()) -> None:
        super().__init__(message)
        self.fields = fields


class Invalid(TonnageError):
    """The input was read, and a field of it breaks a rule."""

    def __init__(self, message: str, fields: tuple[FieldError, ...] = ()) -> None:
        super().__init__(message)
        self.fields = fields

    @classmethod
    def field(cls, field: str, message: str) -> "Invalid":
        """The common case: one field, whose message is also the sentence."""
        return cls(f"{field}: {message}", (FieldError(field, message),))


class Unauthenticated(TonnageError):
    """Nobody we know is calling."""


class Forbidden(TonnageError):
    """We know the caller, who may not do this."""


class NotFound(TonnageError):
    """There is no such thing, or it is somebody else's: the caller cannot tell which."""


class Conflict(TonnageError):
    """The present state of things forbids it. The sentence says the numbers."""


class Unavailable(TonnageError):
    """The database or the cluster cannot be reached now; trying again later may help."""
