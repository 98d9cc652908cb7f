-- Incremented when somebody changes a field of the account, and not with its use: the entity tag of the API.
alter table storage_account add column revision bigint not null default 1;
