-- The daily use of partners, so that a partner's chart, trend and excess cost the same whatever number of accounts it has.

-- The sum of its accounts' daily values. Days behind an account's rolled_up_to are not in it: see usage/partner_queries.py.
-- No foreign key, as with daily_usage: partners are never removed.
create table partner_usage (
    partner_id uuid not null,
    day date not null,
    usage numeric not null,                          -- bytes
    primary key (partner_id, day)
) with (fillfactor = 90);

-- By the database itself, since older programs write daily values too. Rows are changed in order of partner and day; a
-- statement that both inserts and updates comes here twice, so whoever sends one locks them all before.
create function sum_up_usage() returns trigger language plpgsql as $$
declare
    changed text := case tg_op
        when 'INSERT' then 'select account_id, day, usage from rows_after'
        when 'DELETE' then 'select account_id, day, -usage as usage from rows_before'
        else 'select account_id, day, usage from rows_after
              union all select account_id, day, -usage from rows_before' end;
begin
    -- Planned each time: a plan that is kept is one for as many rows as there were the first time.
    execute 'insert into partner_usage as p (partner_id, day, usage)
        select s.partner_id, c.day, sum(c.usage) from (' || changed || ') c join storage_account s on s.id = c.account_id
        group by s.partner_id, c.day having sum(c.usage) <> 0 order by s.partner_id, c.day
        on conflict (partner_id, day) do update set usage = p.usage + excluded.usage';
    return null;
end $$;
create trigger summed_up_inserted after insert on daily_usage
    referencing new table as rows_after for each statement execute function sum_up_usage();
create trigger summed_up_updated after update on daily_usage
    referencing old table as rows_before new table as rows_after for each statement execute function sum_up_usage();
create trigger summed_up_deleted after delete on daily_usage
    referencing old table as rows_before for each statement execute function sum_up_usage();

-- Nobody else writes daily values meanwhile: the triggers' lock is held until the end of the migration.
insert into partner_usage (partner_id, day, usage)
select s.partner_id, d.day, sum(d.usage) from daily_usage d join storage_account s on s.id = d.account_id
group by s.partner_id, d.day order by s.partner_id, d.day;
