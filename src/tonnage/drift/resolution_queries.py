"""SQL of decisions about differences."""

from collections.abc import Sequence

from tonnage.db import Connection


async def audit_resolution(conn: Connection, account_id: int, use: str, differences: Sequence[str], stamp: str) -> None:
    """Writes the audit entry of a decision: whose values count, and the names of what differed."""
    await conn.execute(
        """
        select audit(%(stamp)s, s.partner_id, 'account.resolve', s.id::text, null,
            jsonb_build_object('use', %(use)s::text, 'differences', to_jsonb(%(differences)s::text[])))
        from storage_account s where s.id = %(id)s
        """,
        {"id": account_id, "use": use, "differences": list(differences), "stamp": stamp},
    )
