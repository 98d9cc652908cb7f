-- What buyers are charged for the running month and the last one: stored, so that lists can be sorted by it.

-- By use, terms and prices, without adjustments. Each buyer of a seller with prices has a row, soon after the month has
-- begun or it was created.
create table month_net (
    month date not null,
    seller_id uuid not null,
    contract_id uuid,
    partner_id uuid,
    account_id bigint,
    currency currency,
    net numeric,
    problem text,                                    -- why there is no net
    computed_at timestamptz not null,                -- the moment that the net is of
    constraint month_net_buyer check (num_nonnulls(contract_id, partner_id, account_id) = 1),
    constraint month_net_month check (extract(day from month) = 1),
    constraint month_net_net check (num_nulls(currency, net) = case when problem is null then 0 else 2 end),
    constraint month_net_problem check (problem in ('no_price_book', 'several_currencies'))
) with (fillfactor = 70);
create unique index month_net_contract on month_net (contract_id, month) where contract_id is not null;
create unique index month_net_partner on month_net (partner_id, month) where partner_id is not null;
create unique index month_net_account on month_net (account_id, month) where account_id is not null;
create index month_net_seller_id_month_idx on month_net (seller_id, month);
