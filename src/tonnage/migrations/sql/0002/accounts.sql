-- Accounts whose users were on their cluster before Tonnage.
alter table storage_account
    add column cluster_user text,  -- the user's id there; null: acct_<id>$main, as Tonnage names it
    add constraint storage_account_cluster_user check (char_length(cluster_user) between 1 and 1000);
-- A user is adopted once. After its purge another user of the cluster may get its id.
create unique index storage_account_adopted on storage_account (region_id, cluster_user)
    where cluster_user is not null and purged_at is null;

-- Storage accounts: what is measured every hour moves to account_usage (usage.sql), a narrow row without an index
-- of what changes. In the wide row with its seven indexes each measurement rewrote all of it.
-- No longer written by usage: storage_account.

alter table storage_account drop constraint storage_account_purged;
alter table storage_account add constraint storage_account_purged
    check (purged_at is null or purge_started_at is not null);
