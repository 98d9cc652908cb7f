-- The audit log in order: what proves that no entry was changed or removed, and what a reader can follow it by.

-- Numbers the committed entries, without gaps. The id of an entry cannot: it is given before the commit, so an entry may
-- appear behind a higher one. The digest is that of the entry's text after the digest of the previous entry of the same
-- organisation. In a table of its own, because a chain that is written with the entry makes all changes wait for each other.
create table audit_sequence (
    position bigint primary key,
    entry_id bigint not null,
    organisation_id uuid not null,                   -- the entry's: whose chain it continues
    digest bytea not null,
    constraint audit_sequence_entry_id_key unique (entry_id),
    constraint audit_sequence_position check (position > 0),
    constraint audit_sequence_digest check (octet_length(digest) = 32)
);
create index audit_sequence_organisation_id_position_idx on audit_sequence (organisation_id, position);
create trigger append_only before update or delete on audit_sequence for each row execute function reject_change();
create trigger no_truncate before truncate on audit_sequence execute function reject_change();

-- How far the numbering has come. One row.
create table audit_sequence_progress (
    is_only_row boolean primary key default true,
    complete_to bigint not null default 0,           -- every entry through this id has a position, or will never exist
    awaited_to bigint not null default 0,            -- that is what these transactions decide for all ids through this one:
    awaited text[] not null default '{}',            -- they were writing entries when it was the newest
    constraint audit_sequence_progress_one_row check (is_only_row),
    constraint audit_sequence_progress_order check (complete_to <= awaited_to)
);
insert into audit_sequence_progress default values;

-- The digests of an organisation's entries, one after the other; `previous` is that before the first of them.
create function extend_audit_digest(digest bytea, previous bytea, entry text) returns bytea
language sql immutable parallel safe as $$
    select sha256(coalesce(digest, previous) || convert_to(entry, 'UTF8'))
$$;
create aggregate audit_digest(previous bytea, entry text) (sfunc = extend_audit_digest, stype = bytea);
