-- For the lists of a seller's adjustments: those that correct a month, which are summed as well, and those that remain.
create index adjustment_seller_id_month_seq_idx on adjustment (seller_id, month, seq) include (currency, amount)
    where month is not null;
create index adjustment_open_idx on adjustment (seller_id, seq) where remaining <> 0;
