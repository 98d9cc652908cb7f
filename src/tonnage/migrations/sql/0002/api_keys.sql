-- A key that was revoked after the backup which this database comes from: it does not work until the operator decides.
alter table api_key add column withheld_at timestamptz;
-- When the operator has decided that it stays: it is not withheld again.
alter table api_key add column released_at timestamptz;
