-- Statements that are taken back: by credit notes, which are statements of their own with a number and a total below
-- zero, or as a whole, so that the month of the buyer can be frozen once more.

-- Now also written by credit_notes: statement.
-- Now also written by statements: statement_line.
-- No longer written by month_end: statement_line.
alter table statement add column credits uuid;                        -- of a credit note: what it takes back
alter table statement add column credited numeric not null default 0; -- what credit notes have taken back of the gross
alter table statement add column reason text;                         -- of a credit note that a person has made
alter table statement add column voided_at timestamptz;
alter table statement add column void_reason text;
alter table statement_line add column credited_line integer;          -- of a credit note: the line that is taken back

alter table statement add constraint statement_credits check (
    credits is null or (corrects is null and blocked is null and gross < 0 and credited = 0 and voided_at is null));
alter table statement add constraint statement_credited check (
    credited = 0 or (number is not null and credited > 0 and credited <= gross));
alter table statement add constraint statement_void check (num_nulls(voided_at, void_reason) in (0, 2)
    and (voided_at is null or (number is not null and paid_on is null and credited = 0)));

drop index statement_of_contract, statement_of_partner, statement_of_account;
create unique index statement_of_contract on statement (contract_id, month)
    where corrects is null and credits is null and voided_at is null;
create unique index statement_of_partner on statement (partner_id, month)
    where corrects is null and credits is null and voided_at is null;
create unique index statement_of_account on statement (account_id, month)
    where corrects is null and credits is null and voided_at is null;
create index statement_credits_idx on statement (credits, seq) where credits is not null;

-- What is frozen does not change, but for its payment, and for what takes it back.
create or replace function reject_change_of_frozen() returns trigger language plpgsql as $$
declare
    later constant text[] := array['paid_on', 'payment_reference', 'credited', 'voided_at', 'void_reason'];
begin
    if num_nonnulls(old.number, old.corrects::text) > 0 and (tg_op = 'DELETE' or
            to_jsonb(old) - later is distinct from to_jsonb(new) - later
            or new.credited < old.credited
            or (old.voided_at is not null and to_jsonb(new) is distinct from to_jsonb(old))) then
        raise exception 'statement % is frozen', coalesce(old.number, old.id::text) using errcode = 'restrict_violation';
    end if;
    return coalesce(new, old);
end $$;

-- A program of an older version would compare a month with a credit note of it, or with a statement that is void.
create function reject_correction_of_taken_back() returns trigger language plpgsql as $$
begin
    if exists (select from statement s where s.id = new.corrects and num_nonnulls(s.credits, s.voided_at) > 0) then
        raise exception 'a newer program corrects %', new.corrects using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger corrected before insert on statement for each row when (new.corrects is not null)
    execute function reject_correction_of_taken_back();

-- The month of a statement that becomes void is frozen once more, for its buyer.
create function note_void() returns trigger language plpgsql as $$
begin
    insert into month_change (seller_id, month, contract_id, partner_id, account_id)
    values (new.seller_id, new.month, new.contract_id, new.partner_id, new.account_id);
    return null;
end $$;
create trigger voided after update of voided_at on statement for each row
    when (old.voided_at is null and new.voided_at is not null) execute function note_void();

-- Lists by what is still to be paid, and the sums of a month.
drop index statement_list_idx, statement_unpaid_idx;
create index statement_list_idx on statement (seller_id, month desc, buyer_key, id)
    include (currency, net, gross, paid_on, voided_at, credits, credited) where number is not null;
create index statement_unpaid_idx on statement (seller_id, month desc, buyer_key, id,
    (coalesce(due_on, 'infinity')))
    where number is not null and paid_on is null and voided_at is null and (credited = 0 or credited < gross);
create index statement_credited_idx on statement (seller_id, month desc, buyer_key, id) where credited > 0;
create index statement_void_idx on statement (seller_id, month desc, buyer_key, id) where voided_at is not null;
