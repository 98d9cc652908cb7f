-- The documents of frozen statements.

-- The first rendering is the document from then on, whatever a later program would make.
create table statement_pdf (
    statement_id uuid primary key,
    pdf bytea not null,
    digest text not null,                            -- SHA-256
    rendered_at timestamptz not null
);
create trigger append_only before update or delete on statement_pdf for each row execute function reject_change();
create trigger no_truncate before truncate on statement_pdf execute function reject_change();
