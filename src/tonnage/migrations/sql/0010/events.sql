-- The feed of events: entries of the audit log that have a type, in order of their positions. Kept 30 days. An event's
-- content is its entry; what is here finds the events of a reader. (A statement's sums are those of the statement.)
create table event (
    position bigint primary key,                     -- of its entry in audit_sequence
    id uuid not null default gen_random_uuid(),      -- what clients know: a position would reveal how much others do
    entry_id bigint not null,
    organisation_id uuid not null,                   -- as in the entry
    parent_id uuid,
    type text not null,
    at timestamptz not null,
    constraint event_id unique (id)
);
create index event_organisation_id_type_position_idx on event (organisation_id, type, position);
create index event_parent_id_type_position_idx on event (parent_id, type, position) where parent_id is not null;
create index event_type_position_idx on event (type, position);
create index event_at_idx on event (at);

-- The position through which entries have become events.
create table event_progress (
    is_only_row boolean primary key default true check (is_only_row),
    position bigint not null
);
insert into event_progress (position) select coalesce(max(position), 0) from audit_sequence;
