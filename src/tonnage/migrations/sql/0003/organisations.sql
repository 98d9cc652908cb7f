-- A locked organisation: its members cannot sign in, and its API keys do not work. Its data is not touched.
-- Now also written by locks: organisation.
alter table organisation
    add column locked_at timestamptz,
    add column locked_by_id uuid references organisation,  -- the operator, or the distributor of a partner
    add column lock_reason text,
    add constraint organisation_lock check (num_nonnulls(locked_at, locked_by_id, lock_reason) in (0, 3)),
    add constraint organisation_lock_reason check (char_length(lock_reason) between 1 and 200);
