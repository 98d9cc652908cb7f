-- How many days before its end the last announcement was made that the key expires; 0: that it has expired.
alter table api_key add column expiry_announced smallint;
-- Keys that have an end, for the job that announces it.
create index api_key_valid_until_idx on api_key (valid_until) where revoked_at is null and expiry_announced is distinct from 0;
