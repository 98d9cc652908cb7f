-- Statements of months that are over: computed, and then frozen with a number, for good.

-- The last number of each series. A number is taken in the transaction that freezes, so none is missing.
create table statement_series (
    seller_id uuid not null references organisation,
    format text not null,
    year smallint not null,                          -- 0: the format has no year
    last_number bigint not null,
    primary key (seller_id, format, year)
);

-- How documents look: one row for many of them.
create table statement_design (
    digest text primary key,                         -- SHA-256 of the design
    design json not null
);
create trigger append_only before update or delete on statement_design for each row execute function reject_change();
create trigger no_truncate before truncate on statement_design execute function reject_change();

-- Also written by: statements (paid_on, payment_reference).
-- One without a number is computed, and is computed again until it is frozen. Sellers and buyers are not referenced:
-- freezing a month does not lock their rows.
create table statement (
    id uuid primary key default gen_random_uuid(),
    seq bigint generated always as identity,
    seller_id uuid not null,
    contract_id uuid,
    partner_id uuid,
    account_id bigint,
    month date not null,
    buyer_key text not null collate "C",             -- its name, as it is sorted
    currency currency,
    net numeric,
    gross numeric,
    document jsonb not null,                          -- names, parties and taxes; month_end/computed.py
    design text not null references statement_design,
    input json,                                      -- what the buyer had and paid on each day; billing/month_record.py
    digest text,                                     -- SHA-256 of all inputs, in their order
    computed_at timestamptz not null,
    blocked text,                                    -- why it cannot be frozen
    payment_term_days smallint,
    number text,
    frozen_at timestamptz,
    due_on date,
    paid_on date,
    payment_reference text,
    constraint statement_buyer check (num_nonnulls(contract_id, partner_id, account_id) = 1),
    constraint statement_month check (extract(day from month) = 1),
    constraint statement_computed check (blocked is not null or num_nulls(currency, net, gross, input, digest) = 0),
    constraint statement_frozen check ((number is null) = (frozen_at is null) and (number is null or blocked is null)),
    constraint statement_payment check (num_nulls(paid_on, payment_reference) in (0, 2)
        and (paid_on is null or number is not null)),
    constraint statement_of_contract unique (contract_id, month),
    constraint statement_of_partner unique (partner_id, month),
    constraint statement_of_account unique (account_id, month),
    constraint statement_number unique (seller_id, number)
);
create index statement_seller_id_seq_idx on statement (seller_id, seq) where number is not null;
create index statement_seller_id_month_seq_idx on statement (seller_id, month, seq);
create index statement_partner_id_idx on statement (partner_id, month) where partner_id is not null;

create table statement_line (
    statement_id uuid not null references statement on delete cascade deferrable initially deferred,
    no integer not null,
    product text not null,
    subject_id uuid,                                 -- a contract or a partner; or a storage account
    subject_account bigint,
    subject_name text not null,
    contract_id uuid,
    byte_days numeric not null,
    unit_price price,                                -- null: the line has no quantity
    amount numeric not null,
    first_day date not null,
    last_day date not null,
    primary key (statement_id, no),
    constraint statement_line_subject check (num_nonnulls(subject_id, subject_account) = 1)
);

-- The days of use and capacity of each partner or storage account that the lines are computed from.
create table statement_subject (
    statement_id uuid not null references statement on delete cascade deferrable initially deferred,
    position integer not null,
    subject_id uuid,
    subject_account bigint,
    input json not null,
    primary key (statement_id, position),
    constraint statement_subject_subject check (num_nonnulls(subject_id, subject_account) = 1)
);

-- What is frozen does not change, but for its payment.
create function reject_change_of_frozen() returns trigger language plpgsql as $$
begin
    if old.number is not null and (tg_op = 'DELETE' or
        to_jsonb(old) - array['paid_on', 'payment_reference'] is distinct from
        to_jsonb(new) - array['paid_on', 'payment_reference']) then
        raise exception 'statement % is frozen', old.number using errcode = 'restrict_violation';
    end if;
    return coalesce(new, old);
end $$;
create trigger frozen before update or delete on statement
    for each row execute function reject_change_of_frozen();
create trigger no_truncate before truncate on statement execute function reject_change();

create function reject_change_of_frozen_parts() returns trigger language plpgsql as $$
begin
    if exists (select from changed join statement s on s.id = changed.statement_id where s.number is not null) then
        raise exception 'a statement is frozen' using errcode = 'restrict_violation';
    end if;
    return null;
end $$;
create trigger unchanged before update on statement_line for each row execute function reject_change();
create trigger frozen_insert after insert on statement_line referencing new table as changed
    for each statement execute function reject_change_of_frozen_parts();
create trigger frozen_delete after delete on statement_line referencing old table as changed
    for each statement execute function reject_change_of_frozen_parts();
create trigger no_truncate before truncate on statement_line execute function reject_change();
create trigger unchanged before update on statement_subject for each row execute function reject_change();
create trigger frozen_insert after insert on statement_subject referencing new table as changed
    for each statement execute function reject_change_of_frozen_parts();
create trigger frozen_delete after delete on statement_subject referencing old table as changed
    for each statement execute function reject_change_of_frozen_parts();
create trigger no_truncate before truncate on statement_subject execute function reject_change();
