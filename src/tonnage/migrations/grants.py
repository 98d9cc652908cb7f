"""The rights of the role that the program logs in as, where another role owns the tables.

It reads and changes rows, and only adds to append-only tables. It changes no definition: what has to create or drop
partitions runs as the owner, in functions that check what they are asked for.
"""

from typing import Any, LiteralString

import psycopg
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

_OWNS: LiteralString = """
    select pg_has_role(%(role)s, relowner, 'member') from pg_class where oid = to_regclass('alembic_version')
"""
"""Whether the role is the owner of the tables, a member of it, or a superuser."""

_RELATIONS: LiteralString = """
    select c.relname, c.relkind = 'S', w.rights
    from pg_class c
    cross join lateral (select case
        when c.relkind = 'S' then '{SELECT,USAGE}'
        when c.relname in ('alembic_version', 'schema_compatibility', 'queue_migration', 'audit_dropped')
            then '{SELECT}'
        when exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'append_only')
            then '{INSERT,SELECT}'
        else '{DELETE,INSERT,SELECT,UPDATE}'
    end::text[]) w (rights)
    where c.relnamespace = current_schema()::regnamespace
        and (c.relkind in ('r', 'p') and not c.relispartition or c.relkind = 'S')
        and w.rights is distinct from (
            select array_agg(a.privilege_type order by a.privilege_type collate "C")
            from aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee where r.rolname = %(role)s
        )
    order by c.relname collate "C"
"""
"""The tables and sequences whose rights differ from what they should be, and those. Partitions need none."""

_FUNCTIONS: LiteralString = """
    select p.oid::regprocedure::text from pg_proc p
    where p.pronamespace = current_schema()::regnamespace and not has_function_privilege(%(role)s, p.oid, 'execute')
"""

_PLACES: LiteralString = """
    select current_database(), not has_database_privilege(%(role)s, current_database(), 'temporary'),
        current_schema(), not has_schema_privilege(%(role)s, current_schema(), 'usage')
"""


async def differing(conn: AsyncConnection[Any], role: str) -> tuple[str, ...] | None:
    """The tables, sequences and functions on which the role's rights are not those that `grant` gives; None for the
    owner of the tables and for a superuser.
    """
    params = {"role": role}
    owns = await (await conn.execute(_OWNS, params)).fetchone()
    if owns is None or owns[0]:
        return None
    found = [
        row[0] for query in (_RELATIONS, _FUNCTIONS) for row in await (await conn.execute(query, params)).fetchall()
    ]
    return tuple(found)


def grant(conn: psycopg.Connection[Any], role: str) -> int:
    """Gives `role` what the program needs, and takes from it what it does not need, in the caller's transaction.

    Returns the number of tables, sequences and functions whose rights differed; 0 for the owner and for a superuser,
    which need none. Raises psycopg's UndefinedObject where there is no such role.
    """
    params = {"role": role}
    to = Identifier(role)
    if (conn.execute(_OWNS, params).fetchone() or (False,))[0]:
        return 0
    database, lacks_temporary, schema, lacks_usage = conn.execute(_PLACES, params).fetchone() or ("", False, "", False)
    if lacks_temporary:
        conn.execute(SQL("grant temporary on database {} to {}").format(Identifier(database), to))
    if lacks_usage:
        conn.execute(SQL("grant usage on schema {} to {}").format(Identifier(schema), to))
    relations = conn.execute(_RELATIONS, params).fetchall()
    for name, is_sequence, rights in relations:
        on = SQL("sequence {}" if is_sequence else "table {}").format(Identifier(name))
        # The names of privileges are keywords, and come from the query above.
        granted = SQL(", ").join(map(SQL, rights))
        conn.execute(SQL("revoke all on {} from {}").format(on, to))
        conn.execute(SQL("grant {} on {} to {}").format(granted, on, to))
    functions = conn.execute(_FUNCTIONS, params).fetchall()
    for (signature,) in functions:
        conn.execute(SQL("grant execute on function {} to {}").format(SQL(signature), to))
    return len(relations) + len(functions)
