-- The mails by which sellers send their statements: written in the transaction that gives the statement its number.
create table statement_mail (
    statement_id uuid primary key references statement,
    queued_at timestamptz not null,
    due_at timestamptz,  -- when it is tried next; null: never, it was sent or given up
    sent_at timestamptz,
    refused text,  -- no_address | rejected | failed: why it was not sent when it was last tried
    constraint statement_mail_sent check (sent_at is null or num_nonnulls(due_at, refused) = 0)
);
create index statement_mail_due_idx on statement_mail (due_at, statement_id) where due_at is not null;
