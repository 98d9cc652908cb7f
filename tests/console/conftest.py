"""The console behind its doors: `browser = await client.sign_in(distributor)`, `await browser.get("/team")`."""

from tests.api.conftest import client, data

__all__ = ["client", "data"]
"""The fixtures of the API's tests."""
