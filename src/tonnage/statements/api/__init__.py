"""The API of statements."""

from tonnage.statements.api.statements import routes

__all__ = ["routes"]
