-- Partners that closed in a month: what they are charged is not in lists of those that are open.
create index partner_closed_idx on partner (distributor_id, closed_at) where closed_at is not null;
