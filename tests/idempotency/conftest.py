from tests.api.conftest import client, data

__all__ = ["client", "data"]
