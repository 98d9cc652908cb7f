-- How many requests a second the key can make, on average; null: the default of the installation.
alter table api_key
    add column requests_per_second integer,
    add constraint api_key_requests_per_second check (requests_per_second between 1 and 1000000);
