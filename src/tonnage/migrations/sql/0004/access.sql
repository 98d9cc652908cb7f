-- Which client and which request an entry of the audit log comes from. Beside the entries, because it is deleted after a
-- time, and the digests of the entries must still fit then. None for what a command or a job did.
create table audit_entry_client (
    entry_id bigint primary key,
    address inet,                                    -- null: the connection has none
    request_id text not null
);
create index audit_entry_client_request_id_idx on audit_entry_client (request_id);

create or replace function audit(
    actor jsonb, organisation_id uuid, action text, subject_id text, before jsonb, after jsonb
) returns bigint language plpgsql as $$
declare entry bigint;
begin
    insert into audit_entry (
        actor_kind, actor_id, actor_organisation_id, organisation_id, parent_id, action, subject_id, before, after
    ) values (
        actor->>'kind', (actor->>'id')::uuid, (actor->>'organisation')::uuid,
        organisation_id, (select o.parent_id from organisation o where o.id = audit.organisation_id),
        action, subject_id, before, after
    ) returning id into entry;
    if actor ? 'request' then
        insert into audit_entry_client (entry_id, address, request_id)
        values (entry, (actor->>'address')::inet, actor->>'request');
    end if;
    return entry;
end $$;

-- Where the digests of an organisation continue after its older entries were dropped: at its last position that was. The
-- highest position of all of them is the last one that was dropped. Only drop_audit_entries writes it.
create table audit_dropped (
    organisation_id uuid primary key,
    position bigint not null,
    digest bytea not null,
    constraint audit_dropped_position check (position > 0),
    constraint audit_dropped_digest check (octet_length(digest) = 32)
);

create or replace function reject_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and tg_table_name in ('audit_entry', 'audit_sequence')
            and current_setting('tonnage.drops_audit_entries', true) = 'on' then
        return old;
    end if;
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;

-- Drops the oldest entries, at most `most`, that were made before a month which has begun, and keeps the last digest of
-- each organisation. Returns their number. In order of positions, so that no position is missing among those that stay: an
-- entry that got its position late stays with those around it. Runs as the owner: the program's role deletes no entry.
create function drop_audit_entries(before timestamptz, most integer) returns bigint language plpgsql
security definer set timezone = 'UTC' as $$
declare
    last_dropped bigint;
    entries bigint;
begin
    if before <> date_trunc('month', before) or before > now() then
        raise exception 'only whole months that are over can be dropped' using errcode = 'invalid_parameter_value';
    end if;
    perform pg_advisory_xact_lock(495623173477);  -- that of the numbering, which reads the last digests
    select coalesce(min(o.position) filter (where o.at >= before) - 1, max(o.position)) into last_dropped from (
        select s.position, a.at from audit_sequence s left join audit_entry a on a.id = s.entry_id
        order by s.position limit most
    ) o;
    insert into audit_dropped as d (organisation_id, position, digest)
    select distinct on (organisation_id) organisation_id, position, digest
    from audit_sequence where position <= last_dropped order by organisation_id, position desc
    on conflict (organisation_id) do update set position = excluded.position, digest = excluded.digest;
    -- Not a setting of the function, which only a superuser may give it.
    perform set_config('tonnage.drops_audit_entries', 'on', true);
    delete from audit_entry_client c using audit_sequence s where c.entry_id = s.entry_id and s.position <= last_dropped;
    delete from audit_entry a using audit_sequence s where a.id = s.entry_id and s.position <= last_dropped;
    delete from audit_sequence where position <= last_dropped;
    get diagnostics entries = row_count;
    perform set_config('tonnage.drops_audit_entries', 'off', true);
    return entries;
end $$;
do $$
begin
    execute format('alter function drop_audit_entries(timestamptz, integer) set search_path = %I, pg_temp', current_schema());
    revoke execute on function drop_audit_entries(timestamptz, integer) from public;
end $$;
