"""Consistency checks of `tonnage doctor`: storage accounts, and their totals on partners."""

from tonnage.access.checks import Check, Checking, compare, compare_keys
from tonnage.accounts.queries import ADDED
from tonnage.db import Connection
from tonnage.email_address import email_key
from tonnage.names import name_key


async def partner_allocated_to_accounts(conn: Connection) -> Check:
    """A partner's `allocated_to_accounts` is the sum of the allocations of its accounts that are not purged."""
    return await compare(
        conn,
        "partners: allocated to storage accounts",
        """
        select p.id, p.allocated_to_accounts, coalesce(s.allocated_to_accounts, 0)
        from partner p left join (
            select partner_id, sum(allocated_capacity) as allocated_to_accounts from storage_account
            where purged_at is null group by partner_id
        ) s on s.partner_id = p.id
        """,
    )


async def partner_overrides(conn: Connection) -> Check:
    """A partner's `overrides_of_accounts` is the sum of what overrides add to the allocations of its accounts."""
    return await compare(
        conn,
        "partners: overrides of storage accounts",
        f"""
        select p.id, p.overrides_of_accounts, coalesce(s.added, 0)
        from partner p left join (
            select s.partner_id, sum({ADDED}) as added from storage_account s where s.purged_at is null
            group by s.partner_id
        ) s on s.partner_id = p.id
        """,
    )


async def partner_accounts(conn: Connection) -> Check:
    """A partner's number of accounts is the number of those that are not purged."""
    return await compare(
        conn,
        "partners: number of storage accounts",
        """
        select p.id, p.account_count, coalesce(s.accounts, 0)
        from partner p left join (
            select partner_id, count(*) as accounts from storage_account where purged_at is null group by partner_id
        ) s on s.partner_id = p.id
        """,
    )


async def partner_used(conn: Connection) -> Check:
    """A partner's use is the sum of its accounts' use; purged accounts use nothing."""
    return await compare(
        conn,
        "partners: used",
        """
        select p.id, trim_scale(p.used), coalesce(s.used, 0)
        from partner p left join (
            select partner_id, sum(used) as used from account_usage group by partner_id
        ) s on s.partner_id = p.id
        """,
    )


async def terms(conn: Connection) -> Check:
    """The latest terms are those that apply now."""
    return await compare(
        conn,
        "storage accounts: terms",
        """
        select s.id, (s.allocated_capacity, s.allow_overdraft, s.terms_since), t.latest
        from storage_account s left join lateral (
            select (t.allocated_capacity, t.allow_overdraft, t.valid_from) as latest
            from account_terms t where t.account_id = s.id order by t.valid_from desc, t.id desc limit 1
        ) t on true
        """,
    )


async def contact_email(conn: Connection) -> Check:
    """E-mail addresses are unique by their case-folded form; purged accounts have none."""
    return await compare_keys(
        conn,
        "storage accounts: e-mail keys",
        "select id, contact_email, contact_email_key from storage_account where contact_email is not null",
        email_key,
    )


async def names(conn: Connection) -> Check:
    """Lists search and sort by the normalised keys of names."""
    return await compare_keys(
        conn, "storage accounts: name keys", "select id, name, name_key from storage_account", name_key
    )


ALL: tuple[Checking, ...] = (
    partner_allocated_to_accounts,
    partner_overrides,
    partner_accounts,
    partner_used,
    terms,
    contact_email,
    names,
)
