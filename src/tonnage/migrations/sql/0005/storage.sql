-- What a storage cluster would have, for the simulated region of a sandbox.

create table simulated_user (
    region_id integer not null references region on delete cascade,
    account_id bigint not null,
    display_name text not null,
    email text not null,
    quota bigint,                                    -- bytes; null: no limit
    access text not null,
    max_buckets integer not null,
    primary key (region_id, account_id)
);

-- Without secrets: nobody ever opens anything with such a key.
create table simulated_key (
    region_id integer not null,
    account_id bigint not null,
    access_key text not null,
    primary key (region_id, access_key),
    foreign key (region_id, account_id) references simulated_user on delete cascade
);
create index simulated_key_region_id_account_id_idx on simulated_key (region_id, account_id);
