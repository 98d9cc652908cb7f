-- Price books: what a seller charges, and for whom.

-- Hundredths of a currency's major unit. The limits are those of price_books/version.py.
create domain price as numeric
    constraint price_range check (value >= 0 and value <= 1e12 and scale(value) <= 6);

create table price_book (
    id uuid primary key default gen_random_uuid(),
    seq bigint generated always as identity,
    seller_id uuid not null references organisation,
    name text not null,
    name_key text not null collate "C",
    currency currency not null,
    is_default boolean not null,
    created_at timestamptz not null,
    last_version integer not null default 0,
    last_publication bigint not null default 0,
    constraint price_book_name check (char_length(name) between 1 and 200),
    constraint price_book_of_seller unique (id, seller_id)
);
create index price_book_seller_id_seq_idx on price_book (seller_id, seq);
create unique index price_book_one_default on price_book (seller_id) where is_default;

create table price_version (
    book_id uuid not null references price_book,
    number integer not null,
    valid_from date not null,
    reserved price,                       -- per GB-month, as excess and pay_per_use; null is not sold
    excess price,
    pay_per_use price,                    -- null: the price of excess
    minimum_gb bigint,                    -- of pay-per-use, in a month
    minimum_pool text,
    minimum_charge price,                 -- a month
    egress_per_gb price,
    discount_percent numeric,
    prorate_minimums boolean not null,
    tiers jsonb,                          -- as in the API; they replace the price of their product
    created_at timestamptz not null,
    published_at timestamptz,
    publication bigint,                   -- of two versions that begin on a day the later published counts
    revision bigint not null default 1,
    primary key (book_id, number),
    constraint price_version_published check ((published_at is null) = (publication is null)),
    constraint price_version_publication unique (book_id, publication),
    constraint price_version_minimum check (
        (minimum_gb is null) = (minimum_pool is null) and minimum_gb >= 0
        and minimum_pool in ('account', 'partner', 'contract')),
    constraint price_version_discount check (discount_percent between 0 and 100 and scale(discount_percent) <= 6)
);

create function reject_change_of_published() returns trigger language plpgsql as $$
begin
    if old.published_at is not null then
        raise exception 'version % of price book % is published', old.number, old.book_id
            using errcode = 'restrict_violation';
    end if;
    return coalesce(new, old);
end $$;
create trigger published before update or delete on price_version
    for each row execute function reject_change_of_published();
create trigger no_truncate before truncate on price_version execute function reject_change();

-- Which book a seller applies to a contract, a partner or an account. Of two that begin on one day the later counts.
create table price_assignment (
    id bigint generated always as identity primary key,
    seller_id uuid not null references organisation,
    contract_id uuid references contract,
    partner_id uuid references partner,
    account_id bigint references storage_account,
    book_id uuid,                         -- null: none of its own, so that of what it belongs to
    valid_from date not null,
    assigned_at timestamptz not null,
    constraint price_assignment_book foreign key (book_id, seller_id) references price_book (id, seller_id),
    constraint price_assignment_subject check (num_nonnulls(contract_id, partner_id, account_id) = 1)
);
create index price_assignment_seller_id_idx on price_assignment (seller_id, book_id);
create index price_assignment_contract_id_idx on price_assignment (contract_id, seller_id) where contract_id is not null;
create index price_assignment_partner_id_idx on price_assignment (partner_id, seller_id) where partner_id is not null;
create index price_assignment_account_id_idx on price_assignment (account_id, seller_id) where account_id is not null;
create trigger append_only before update or delete on price_assignment for each row execute function reject_change();
create trigger no_truncate before truncate on price_assignment execute function reject_change();
