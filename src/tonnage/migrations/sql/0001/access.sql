-- The audit log: who changed what, when. And what makes a table append-only.

create function reject_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;

-- No foreign keys: an entry outlives its actor and its subject.
create table audit_entry (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    actor_kind text not null,
    actor_id uuid,
    actor_organisation_id uuid,
    organisation_id uuid not null,                   -- the organisation whose data was changed
    parent_id uuid,                                  -- its parent: a distributor reads its partners' entries
    action text not null,                            -- noun.verb
    subject_id text not null,
    before jsonb,
    after jsonb,
    constraint audit_entry_actor check (actor_kind in ('key', 'member', 'cli', 'job'))
);
create index audit_entry_organisation_id_id_idx on audit_entry (organisation_id, id);
create index audit_entry_parent_id_id_idx on audit_entry (parent_id, id) where parent_id is not null;
create index audit_entry_subject_id_id_idx on audit_entry (subject_id, id);
create index audit_entry_actor_organisation_id_id_idx on audit_entry (actor_organisation_id, id);
create index audit_entry_actor_id_id_idx on audit_entry (actor_id, id) where actor_id is not null;
create trigger append_only before update or delete on audit_entry for each row execute function reject_change();
create trigger no_truncate before truncate on audit_entry execute function reject_change();

-- The only way into the audit table. Other features call it inside their statements; the result must be read by the
-- statement's last SELECT, since PostgreSQL does not run a SELECT whose result is not read.
create function audit(
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
    return entry;
end $$;
