-- The key of the cursors in links to the next page of a list, the same for all processes. It is not sealed: all that it
-- hides is in this database. It is random: a UUID has 122 random bits.
alter table installation add column cursor_key bytea not null
    default sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
