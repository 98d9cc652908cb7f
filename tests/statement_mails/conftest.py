"""The application without a cluster: the whole month is in the database."""

from tests.api.conftest import client

__all__ = ["client"]
