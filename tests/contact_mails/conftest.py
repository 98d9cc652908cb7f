"""The application and an account of a partner."""

from tests.api.conftest import client, data

__all__ = ["client", "data"]
