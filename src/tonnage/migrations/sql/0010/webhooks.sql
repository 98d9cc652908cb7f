-- Webhooks: where organisations get their events, and what was sent.

create table webhook_endpoint (
    id uuid primary key default gen_random_uuid(),
    seq bigint generated always as identity unique,
    organisation_id uuid not null references organisation,
    url text not null,
    description text,
    types text[],                                    -- of events; null: all that the organisation can see
    created_at timestamptz not null,
    public_key text not null,                        -- the private one is sealed, `webhook-key/ID`
    disabled_at timestamptz,
    disabled_reason text,                            -- by_person | gone | failing
    failing_since timestamptz,                       -- the first failure after the last success
    revision bigint not null default 1,              -- incremented by what people set
    constraint webhook_endpoint_url check (char_length(url) between 1 and 500),
    constraint webhook_endpoint_description check (char_length(description) between 1 and 200),
    constraint webhook_endpoint_disabled check ((disabled_at is null) = (disabled_reason is null))
);
create index webhook_endpoint_organisation_id_seq_idx on webhook_endpoint (organisation_id, seq);

-- Shared secrets, at most two of an endpoint; sealed, `webhook/ID`.
create table webhook_secret (
    id uuid primary key default gen_random_uuid(),
    endpoint_id uuid not null references webhook_endpoint on delete cascade,
    created_at timestamptz not null
);
create index webhook_secret_endpoint_id_idx on webhook_secret (endpoint_id, created_at);

-- One event on its way to one endpoint, with the last attempt. Kept 30 days.
create table webhook_delivery (
    id bigint generated always as identity primary key,
    endpoint_id uuid not null references webhook_endpoint on delete cascade,
    event_id uuid not null,
    type text not null,
    created_at timestamptz not null,
    due_at timestamptz,                              -- null: nothing more is tried
    attempts integer not null default 0,
    attempted_at timestamptz,
    milliseconds integer,
    status integer,                                  -- of the response; null: there was none
    detail text,                                     -- its first KB, or why there was none
    delivered_at timestamptz,
    constraint webhook_delivery_delivered check (delivered_at is null or due_at is null)
);
create index webhook_delivery_endpoint_id_id_idx on webhook_delivery (endpoint_id, id);
create unique index webhook_delivery_endpoint_id_event_id_idx on webhook_delivery (endpoint_id, event_id);
create index webhook_delivery_due_idx on webhook_delivery (endpoint_id, due_at, id) where due_at is not null;
create index webhook_delivery_created_at_idx on webhook_delivery (created_at);

-- The position through which events have become deliveries.
create table webhook_progress (
    is_only_row boolean primary key default true check (is_only_row),
    position bigint not null
);
insert into webhook_progress (position) select position from event_progress;
