"""The metered-only plane: there is no cluster to talk to, usage is imported."""


class MeteredPlane:
    """Has nothing to provision, to enforce or to remove: whoever imports the usage also runs the accounts."""

    enforces = False

    async def purge(self, account_id: int) -> None:
        """Nothing to do here."""
