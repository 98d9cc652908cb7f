-- A member who was removed after the backup which this database comes from: it cannot sign in until the operator decides.
alter table member add column withheld_at timestamptz;
-- When the operator has decided that it stays: it is not withheld again.
alter table member add column released_at timestamptz;

-- For pages of the list sorted by name.
drop index member_name_key_idx;
create index member_name_idx on member (coalesce(name_key, ''), (coalesce(name, '') collate "C"), id);
