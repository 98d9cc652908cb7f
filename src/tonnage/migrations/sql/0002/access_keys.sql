-- Keys that are on a cluster without having been created here. Their names have any form, and users of two clusters may
-- have keys of one name, so a name is unique within its account.
alter table access_key
    add column origin text not null default 'created',  -- 'found' on the cluster, or 'adopted': known to the operator
    drop constraint access_key_pkey,
    add primary key (account_id, access_key),
    drop constraint access_key_form,
    add constraint access_key_form check (
        access_key ~ case origin when 'created' then '^[A-Z0-9]{16,128}$' else '^[!-.0-~]{1,128}$' end),
    add constraint access_key_origin check (origin in ('created', 'found', 'adopted'));
