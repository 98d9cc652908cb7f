-- How many requests a second the key can make, on average; null: the default of the installation.
alter table api_key
    add column requests_per_second integer,
    add constraint api_key_requests_per_second check (requests_per_second between 1 and 1000000);

-- The member who created a key, if it was not the command line. There is no foreign key: keys outlive their creators.
alter table api_key add column created_by_id uuid;
update api_key k set created_by_id = e.actor_id
from audit_entry e
where e.action = 'key.create' and e.subject_id = k.id::text and e.actor_kind = 'member';
