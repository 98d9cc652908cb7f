class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot do what was asked. `str(error)` says what is wrong and what to do."""


class DirectoryInUse(EmbeddedError):
    """Another process runs the server of this data directory."""

    def __init__(self, sentence: str, *, briefly: bool = False) -> None:
        super().__init__(sentence)
        self.briefly = briefly
        """The process is a command, which will end soon."""
