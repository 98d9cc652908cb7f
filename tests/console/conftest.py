"""The console of the application: `browser = await client.sign_in(distributor)`, `await browser.get("/team")`."""

from tests.api.conftest import client, data

__all__ = ["client", "data"]
"""The fixtures of the API's tests."""
