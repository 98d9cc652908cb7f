-- How far a freeze has come, beside its transactions: shown while it goes on.
alter table month_close add column stage text;    -- compute | check
alter table month_close add column done integer;  -- buyers, or statements
alter table month_close add column total integer;
alter table month_close add column progress_at timestamptz;  -- an older one is of a freeze that was killed
alter table month_close add constraint month_close_progress check (
    num_nulls(stage, done, total, progress_at) in (0, 4) and (stage is null or done between 0 and total));

-- Planned each time: a cached plan would be that of the first statements of a month, when their table was empty, and
-- read the whole of it for each of the later ones.
create or replace function reject_change_of_frozen_parts() returns trigger language plpgsql as $$
declare
    is_frozen boolean;
begin
    execute 'select exists (select from changed join statement s on s.id = changed.statement_id
        where num_nonnulls(s.number, s.corrects::text) > 0)' into is_frozen;
    if is_frozen then
        raise exception 'a statement is frozen' using errcode = 'restrict_violation';
    end if;
    return null;
end $$;
