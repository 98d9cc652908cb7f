-- The newest accounts of everybody, and how many there are.

create index storage_account_in_order on storage_account (seq) where purged_at is null;
