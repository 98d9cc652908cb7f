"""What `tonnage doctor` compares of partners, and of the totals that they maintain on contracts."""

from tonnage.access.checks import Check, Checking, compare
from tonnage.db import Connection


async def contract_allocated(conn: Connection) -> Check:
    """A contract's allocated capacity is the sum of its open partners' allocations."""
    return await compare(
        conn,
        "contracts: allocated capacity",
        """
        select k.id, k.allocated_capacity, coalesce(p.allocated, 0)
        from contract k left join (
            select contract_id, sum(effective_capacity(allocated_capacity, override_capacity)) as allocated
            from partner where closed_at is null group by contract_id
        ) p on p.contract_id = k.id
        """,
    )


async def contract_used(conn: Connection) -> Check:
    """A contract's use is the sum of its partners' use."""
    return await compare(
        conn,
        "contracts: used",
        """
        select k.id, trim_scale(k.used), trim_scale(coalesce(p.used, 0))
        from contract k left join (
            select contract_id, sum(used) as used from partner group by contract_id
        ) p on p.contract_id = k.id
        """,
    )


async def terms(conn: Connection) -> Check:
    """The latest terms are the ones in force now."""
    return await compare(
        conn,
        "partners: terms",
        """
        select p.id, (p.contract_id, p.allocated_capacity, coalesce(p.allow_overdraft, false), p.terms_since), t.latest
        from partner p left join lateral (
            select (t.contract_id, t.allocated_capacity, t.allow_overdraft, t.valid_from) as latest
            from partner_terms t where t.partner_id = p.id order by t.valid_from desc, t.id desc limit 1
        ) t on true
        """,
    )


async def organisation(conn: Connection) -> Check:
    """Columns of a partner that duplicate its organisation's; and no open partner has a closed distributor."""
    return await compare(
        conn,
        "partners: distributor and closing date",
        """
        select p.id, (p.distributor_id, p.closed_at, p.closed_at is null and d.closed_at is not null),
            (o.parent_id, o.closed_at, false)
        from partner p join organisation o on o.id = p.id join organisation d on d.id = p.distributor_id
        """,
    )


ALL: tuple[Checking, ...] = (contract_allocated, contract_used, terms, organisation)
