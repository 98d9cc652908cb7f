class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot do what was asked. `str(error)` says what is wrong and what to do."""


class DirectoryInUse(EmbeddedError):
    """Another Tonnage already runs the server of this directory."""
