-- Written by partners: a contract ends when its distributor is closed.
alter table contract add column closed_at timestamptz;  -- as in organisation: it must be read under this row's lock
