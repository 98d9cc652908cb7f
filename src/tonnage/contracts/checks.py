"""What `tonnage doctor` compares of contracts."""

from tonnage.access.checks import Check, Checking, compare, compare_keys
from tonnage.db import Connection
from tonnage.names import name_key


async def terms(conn: Connection) -> Check:
    """The latest terms are the ones in force now."""
    return await compare(
        conn,
        "contracts: terms",
        """
        select k.id, (k.reserved_capacity, trim_scale(k.price_cents), k.currency, k.terms_since), t.latest
        from contract k left join lateral (
            select (t.reserved_capacity, trim_scale(t.price_cents), t.currency, t.valid_from) as latest
            from contract_terms t where t.contract_id = k.id order by t.valid_from desc, t.id desc limit 1
        ) t on true
        """,
    )


async def closing_dates(conn: Connection) -> Check:
    """A contract ends when its distributor is closed."""
    return await compare(
        conn,
        "contracts: closing date",
        """
        select k.id, k.closed_at, o.closed_at from contract k join organisation o on o.id = k.distributor_id
        """,
    )


async def names(conn: Connection) -> Check:
    """Lists search and sort by the keys of the contracts' details."""
    return await compare_keys(conn, "contracts: name keys", "select id, details, name_key from contract", name_key)


ALL: tuple[Checking, ...] = (terms, closing_dates, names)
