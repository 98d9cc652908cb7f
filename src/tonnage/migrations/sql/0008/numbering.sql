-- Numbers are taken by all who issue documents.
-- Now also written by numbering: statement_series.
-- No longer written by month_end: statement_series.

-- Numbers that may have been issued between a backup and its restore: the series went on after them.
create table number_gap (
    seller_id uuid not null references organisation,
    format text not null,
    year smallint not null,                          -- 0: the format has no year
    first_number bigint not null,
    last_number bigint not null,
    noted_at timestamptz not null,
    primary key (seller_id, format, year, first_number),
    constraint number_gap_range check (first_number <= last_number)
);
create trigger append_only before update or delete on number_gap for each row execute function reject_change();
create trigger no_truncate before truncate on number_gap execute function reject_change();
