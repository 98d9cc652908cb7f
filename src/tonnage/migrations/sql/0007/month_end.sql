-- What is written of months that are frozen, or being frozen, is noted: a freeze begins again, and a frozen month is
-- corrected.

-- A month of a seller from the beginning of its first freeze on.
create table month_close (
    seller_id uuid not null,
    month date not null,
    in_progress boolean not null,                    -- being frozen: changes of profiles and settings count too
    frozen boolean not null,                         -- it was frozen once: what changes is corrected
    primary key (seller_id, month),
    constraint month_close_month check (extract(day from month) = 1)
);
create index month_close_month_idx on month_close (month);

-- Written by the triggers below, whoever changes usage, terms, prices or profiles. A row is deleted by the transaction
-- that computes the month from a snapshot that has the change.
create table month_change (
    id bigint generated always as identity primary key,
    seller_id uuid not null,
    month date not null,
    contract_id uuid,                                -- whose statements may be others now: of this contract, of who is
    partner_id uuid,                                 -- or was under it; of this partner and its contracts; of this
    account_id bigint,                               -- account; or of all buyers
    postponed boolean not null default false,        -- it cannot be computed now
    constraint month_change_subject check (num_nonnulls(contract_id, partner_id, account_id) <= 1)
);
create index month_change_seller_id_month_idx on month_change (seller_id, month);

-- All months that are frozen were closed.
insert into month_close (seller_id, month, in_progress, frozen)
select distinct seller_id, month, false, true from statement where number is not null;

-- Also those that a program of an older version freezes beside this one.
create function note_frozen_month() returns trigger language plpgsql as $$
begin
    insert into month_close (seller_id, month, in_progress, frozen)
    select distinct seller_id, month, false, true from changed where number is not null
    on conflict (seller_id, month) do update set frozen = true where not month_close.frozen;
    return null;
end $$;
create trigger month_close after update on statement referencing new table as changed
    for each statement execute function note_frozen_month();

create function operator_id() returns uuid language sql stable as $$
    select id from organisation where kind = 'operator' order by seq limit 1
$$;

-- The first day after all months that were closed. Changes of later days concern none: most of them.
create function open_since() returns date language sql stable as $$
    select (max(month) + interval '1 month')::date from month_close
$$;

create function note_changed_days() returns trigger language plpgsql as $$
begin
    insert into month_change (seller_id, month, partner_id, account_id)
    select distinct c.seller_id, c.month, nullif(s.partner_id, c.seller_id),
        case when c.seller_id = s.partner_id then s.id end
    from (
        select distinct account_id, date_trunc('month', day)::date as month from changed
        where day < (select open_since())
    ) d
    join storage_account s on s.id = d.account_id
    join partner p on p.id = s.partner_id
    join month_close c on c.month = d.month and c.seller_id in (s.partner_id, p.distributor_id, (select operator_id()));
    return null;
end $$;
create trigger month_change_inserted after insert on daily_usage referencing new table as changed
    for each statement execute function note_changed_days();
create trigger month_change_updated after update on daily_usage referencing new table as changed
    for each statement execute function note_changed_days();
create trigger month_change_deleted after delete on daily_usage referencing old table as changed
    for each statement execute function note_changed_days();
create trigger month_change_inserted after insert on daily_traffic referencing new table as changed
    for each statement execute function note_changed_days();
create trigger month_change_updated after update on daily_traffic referencing new table as changed
    for each statement execute function note_changed_days();

create function note_changed_contract_terms() returns trigger language plpgsql as $$
begin
    insert into month_change (seller_id, month, contract_id)
    select c.seller_id, c.month, new.contract_id from month_close c
    where c.seller_id = operator_id() and c.month >= date_trunc('month', new.valid_from at time zone 'UTC');
    return null;
end $$;
create trigger month_change after insert on contract_terms for each row
    execute function note_changed_contract_terms();

create function note_changed_partner_terms() returns trigger language plpgsql as $$
begin
    insert into month_change (seller_id, month, partner_id)
    select c.seller_id, c.month, p.id from partner p
    join month_close c on c.seller_id in (p.distributor_id, operator_id())
    where p.id = new.partner_id and c.month >= date_trunc('month', new.valid_from at time zone 'UTC');
    return null;
end $$;
create trigger month_change after insert on partner_terms for each row
    execute function note_changed_partner_terms();

create function note_changed_account_terms() returns trigger language plpgsql as $$
begin
    insert into month_change (seller_id, month, account_id)
    select c.seller_id, c.month, s.id from storage_account s join month_close c on c.seller_id = s.partner_id
    where s.id = new.account_id and c.month >= date_trunc('month', new.valid_from at time zone 'UTC');
    return null;
end $$;
create trigger month_change after insert on account_terms for each row
    execute function note_changed_account_terms();

create function note_changed_assignment() returns trigger language plpgsql as $$
begin
    insert into month_change (seller_id, month, contract_id, partner_id, account_id)
    select c.seller_id, c.month, new.contract_id, nullif(new.partner_id, new.seller_id), new.account_id
    from month_close c
    where c.seller_id = new.seller_id and c.month >= date_trunc('month', new.valid_from);
    return null;
end $$;
create trigger month_change after insert on price_assignment for each row execute function note_changed_assignment();

create function note_changed_prices() returns trigger language plpgsql as $$
begin
    insert into month_change (seller_id, month)
    select c.seller_id, c.month from price_book b join month_close c on c.seller_id = b.seller_id
    where b.id = new.book_id and c.month >= date_trunc('month', new.valid_from);
    return null;
end $$;
create trigger month_change after insert or update on price_version for each row
    when (new.published_at is not null) execute function note_changed_prices();

-- Frozen statements have copies of what follows: it counts until they are.
create function note_changed_profile() returns trigger language plpgsql as $$
begin
    insert into month_change (seller_id, month)
    select c.seller_id, c.month from month_close c
    where c.in_progress and c.seller_id in (new.keeper_id, new.organisation_id, operator_id(), (
        select p.distributor_id from partner p where p.id = new.organisation_id));
    return null;
end $$;
create trigger month_change after insert or update on billing_profile for each row
    execute function note_changed_profile();

create function note_changed_settings() returns trigger language plpgsql as $$
begin
    insert into month_change (seller_id, month)
    select seller_id, month from month_close c
    where in_progress and seller_id = coalesce(new.organisation_id, old.organisation_id);
    return null;
end $$;
create trigger month_change after insert or update on seller_settings for each row
    execute function note_changed_settings();
create trigger month_change after insert or update or delete on tax_rate for each row
    execute function note_changed_settings();

-- A frozen month that is charged otherwise now is computed again, and kept without a number beside what it corrects.
-- Its net differs by the adjustments of the buyer from that of the correction before, or of the frozen statement.
alter table statement add column corrects uuid;
alter table statement add constraint statement_corrects check (corrects is null or (number is null and blocked is null));
alter table statement drop constraint statement_of_contract;
alter table statement drop constraint statement_of_partner;
alter table statement drop constraint statement_of_account;
create unique index statement_of_contract on statement (contract_id, month) where corrects is null;
create unique index statement_of_partner on statement (partner_id, month) where corrects is null;
create unique index statement_of_account on statement (account_id, month) where corrects is null;
create index statement_contract_id_idx on statement (contract_id, month) where contract_id is not null;
create index statement_account_id_idx on statement (account_id, month) where account_id is not null;
create index statement_corrects_idx on statement (corrects, seq) where corrects is not null;

alter table statement_line add column adjustment_id uuid;
alter table statement_line add column reason text;
create index statement_line_adjustment_id_idx on statement_line (adjustment_id) where adjustment_id is not null;

create or replace function reject_change_of_frozen() returns trigger language plpgsql as $$
begin
    if num_nonnulls(old.number, old.corrects::text) > 0 and (tg_op = 'DELETE' or
        to_jsonb(old) - array['paid_on', 'payment_reference'] is distinct from
        to_jsonb(new) - array['paid_on', 'payment_reference']) then
        raise exception 'statement % is frozen', coalesce(old.number, old.id::text) using errcode = 'restrict_violation';
    end if;
    return coalesce(new, old);
end $$;

create or replace function reject_change_of_frozen_parts() returns trigger language plpgsql as $$
begin
    if exists (select from changed join statement s on s.id = changed.statement_id
            where num_nonnulls(s.number, s.corrects::text) > 0) then
        raise exception 'a statement is frozen' using errcode = 'restrict_violation';
    end if;
    return null;
end $$;

-- Lists of statements are read in their order, whatever their filter. The first index has the sums of a month, too.
create index statement_list_idx on statement (seller_id, month desc, buyer_key, id)
    include (currency, net, gross, paid_on) where number is not null;
create index statement_unpaid_idx on statement (seller_id, month desc, buyer_key, id,
    (coalesce(due_on, 'infinity'))) where number is not null and paid_on is null;
create index statement_paid_idx on statement (seller_id, month desc, buyer_key, id) where paid_on is not null;
create index statement_blocked_idx on statement (seller_id, month, buyer_key, id) where blocked is not null;
