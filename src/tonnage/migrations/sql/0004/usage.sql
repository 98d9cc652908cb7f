-- The program's role owns no table: what creates and drops partitions runs as the owner. With a fixed search path, or the
-- caller could put other functions and tables in front of those that are meant.

-- Refuses a table of another owner, whose definition could run code with the owner's rights, and one whose rows the
-- caller cannot delete.
create function require_partitioned_table(parent regclass) returns void language plpgsql as $$
begin
    if not exists (
        select from pg_class c join pg_roles r on r.oid = c.relowner
        where c.oid = parent and c.relkind = 'p' and r.rolname = current_user
    ) or not has_table_privilege(session_user, parent, 'delete') then
        raise exception 'no partitions of % can be changed', parent using errcode = 'insufficient_privilege';
    end if;
end $$;

create or replace function ensure_day_partitions(parent regclass, days date[]) returns void language plpgsql
set timezone = 'UTC' as $$
declare
    day date;
begin
    perform require_partitioned_table(parent);
    foreach day in array days loop
        perform ensure_partition(parent, parent::text || to_char(day, '_YYYY_MM_DD'), day, day + 1, 100);
    end loop;
end $$;

create or replace function drop_oldest_day(parent regclass, before date) returns boolean language plpgsql
set lock_timeout = '1s' set timezone = 'UTC' as $$
declare
    oldest regclass;
begin
    perform require_partitioned_table(parent);
    perform pg_advisory_xact_lock(hashtext('drop_oldest_day'));
    select part into oldest from time_partitions(parent) where until <= before::timestamptz order by until limit 1;
    if oldest is null then
        return false;
    end if;
    execute format('drop table %s', oldest);
    return true;
end $$;

do $$
declare
    function regprocedure;
begin
    foreach function in array array[
        'ensure_usage_partitions(date, date)', 'ensure_day_partitions(regclass, date[])',
        'drop_oldest_day(regclass, date)'
    ]::regprocedure[] loop
        execute format('alter function %s security definer set search_path = %I, pg_temp', function, current_schema());
        execute format('revoke execute on function %s from public', function);
    end loop;
end $$;
