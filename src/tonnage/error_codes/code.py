"""What an error code is: the part of an error that programs compare, while its sentence is for people."""

from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True)
class Explanation:
    """What the page of a code and the API documents say about it."""

    status: int
    """Of a response with it."""
    meaning: str
    remedy: str
    """What the client, or the person behind it, can do."""
    example: str
    """A sentence that goes with it."""
    numbers: dict[str, int] = field(default_factory=dict[str, int])
    """The numbers of that sentence, by their names in its template."""


class Code(Enum):
    """A member of one of the enums of this package. Its text, which never changes once published, is the name of the
    member in lower case.
    """

    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation

    def __str__(self) -> str:
        return self.name.lower()

    @property
    def status(self) -> int:
        """The status of a response with it."""
        return self.explanation.status
