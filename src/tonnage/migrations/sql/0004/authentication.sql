-- Whose failures are counted, and where they come from, for the list of blocks. Rows of older programs do not say. There
-- is no foreign key: no attempt waits for a change of a member.
-- Now also written by blocks: sign_in_throttle.
-- Now also written by blocks: sign_in_failures.
alter table sign_in_throttle
    add column id uuid not null default gen_random_uuid(),
    add column kind text,
    add column network text,
    add column member_id uuid,
    add constraint sign_in_throttle_id unique (id),
    add constraint sign_in_throttle_kind
        check (kind in ('pair', 'client', 'resets', 'device', 'codes', 'passwords'));
create index sign_in_throttle_blocked_until_idx on sign_in_throttle (blocked_until) where blocked_until is not null;

alter table sign_in_failures
    add column id uuid not null default gen_random_uuid(),
    add column last_failed_at timestamptz,
    add column member_id uuid,
    add constraint sign_in_failures_id unique (id);

-- Now also written by sessions: session.
