-- What anybody can cause without end, by hour. When the hour is over, each row becomes an entry of the audit log.
create table counted_event (
    hour timestamptz not null,
    action text not null,
    subject_id uuid not null,                        -- a member or key; or an id that stands for an unknown address
    code text not null,                              -- why it was refused; else ''
    organisation_id uuid,                            -- null: of nobody, which becomes no entry
    actor jsonb not null,                            -- of the last one, as the function audit takes it
    times bigint not null,
    primary key (hour, action, subject_id, code)
);
