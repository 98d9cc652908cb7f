-- When an admin locked the login: the member cannot sign in until an admin unlocks it.
-- Now also written by locks: member.
alter table member add column locked_at timestamptz;
