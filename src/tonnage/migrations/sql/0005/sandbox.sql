-- A sandbox: a database whose business time stands still until it is advanced.

-- One row where the database is a sandbox, none where it is not.
create table sandbox_clock (
    business_time timestamptz not null,
    finished_day date not null,                      -- what recurs daily was done for the days up to this one
    only_row boolean not null default true primary key,
    constraint sandbox_clock_only_row check (only_row),
    constraint sandbox_clock_finished_day check (finished_day <= (business_time at time zone 'UTC')::date)
);

-- A database is a sandbox from its beginning or never, and for good; and its time never goes back.
create function require_sandbox_rules() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' and not exists (
        select from organisation where kind <> 'operator' union all select from region
        union all select from member union all select from api_key union all select from audit_entry
    ) or tg_op = 'UPDATE' and new.business_time >= old.business_time and new.finished_day >= old.finished_day then
        return new;
    end if;
    raise exception 'a database with data does not become a sandbox, and a sandbox stays one and does not go back'
        using errcode = 'check_violation', constraint = 'sandbox_clock_rules';
end $$;
create trigger sandbox_rules before insert or update or delete on sandbox_clock
    for each row execute function require_sandbox_rules();
create trigger no_truncate before truncate on sandbox_clock execute function reject_change();

-- The bytes that an account stores on all days of a range: become readings on each day when it is reached.
create table usage_level (
    seq bigint generated always as identity primary key,
    account_id bigint not null references storage_account,
    first_day date not null,
    last_day date not null,
    bytes bigint not null,
    of_sandbox boolean not null default true references sandbox_clock,
    constraint usage_level_days check (first_day <= last_day),
    constraint usage_level_bytes check (bytes >= 0)
);
create index usage_level_account_id_last_day_idx on usage_level (account_id, last_day);
