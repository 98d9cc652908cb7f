-- Adjustments: what is added to a buyer's next statement, because a frozen month is charged otherwise now, or because a
-- person says so.

-- Of what a person made the reason is given; of a month that was computed again, the month.
create table adjustment (
    id uuid primary key default gen_random_uuid(),
    seq bigint generated always as identity,
    seller_id uuid not null,
    contract_id uuid,
    partner_id uuid,
    account_id bigint,
    buyer_name text not null,
    currency currency not null,
    amount numeric not null,
    remaining numeric not null,                      -- what no frozen statement has yet
    reason text,
    month date,
    correction_id uuid references statement deferrable initially deferred,
    tax_category text,                               -- that of the month; null: that of the statement it is added to
    tax_rate numeric,
    created_at timestamptz not null,
    constraint adjustment_buyer check (num_nonnulls(contract_id, partner_id, account_id) = 1),
    constraint adjustment_amount check (amount <> 0 and abs(remaining) <= abs(amount) and remaining * amount >= 0),
    constraint adjustment_cause check (num_nonnulls(reason, correction_id) = 1
        and (month is null) = (correction_id is null)),
    constraint adjustment_tax check ((tax_category is null) = (tax_rate is null))
);
create index adjustment_seller_id_seq_idx on adjustment (seller_id, seq);
create index adjustment_contract_id_idx on adjustment (contract_id) where contract_id is not null;
create index adjustment_partner_id_idx on adjustment (partner_id) where partner_id is not null;
create index adjustment_correction_id_idx on adjustment (correction_id) where correction_id is not null;
create index adjustment_account_id_idx on adjustment (account_id) where account_id is not null;

create function reject_change_of_adjustment() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or to_jsonb(old) - 'remaining' is distinct from to_jsonb(new) - 'remaining' then
        raise exception 'adjustment % does not change', old.id using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger unchanged before update or delete on adjustment
    for each row execute function reject_change_of_adjustment();
create trigger no_truncate before truncate on adjustment execute function reject_change();
