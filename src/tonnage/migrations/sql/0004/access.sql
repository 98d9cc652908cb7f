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
