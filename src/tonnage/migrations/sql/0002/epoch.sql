-- What recognises a database that was put back from a backup: a number that only grows, and is recorded outside too.

-- One row, from the migration on.
create table installation (
    id uuid not null default gen_random_uuid(),      -- in the names of what is recorded outside
    epoch bigint not null default 1,                 -- incremented before every change of a cluster, and regularly
    revocations_read_to bigint not null default 0,   -- audit entries up to this one were looked through
    held_since timestamptz,                          -- since when nothing is destroyed, repaired or mailed ...
    held_reason text,                                -- ... and why
    held_epoch bigint,                               -- the highest number that was seen outside
    held_job bigint,                                 -- the newest job of that moment: it was in the backup
    only_row boolean not null default true primary key,
    constraint installation_only_row check (only_row),
    constraint installation_epoch check (epoch > 0),
    constraint installation_hold check (
        (held_since is null) = (held_reason is null)
        and (held_since is null) = (held_epoch is null)
        and (held_since is null) = (held_job is null))
);
insert into installation (revocations_read_to) select coalesce(max(id), 0) from audit_entry;
