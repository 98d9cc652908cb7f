-- Incremented when somebody changes a field of the partner, and not with its totals: the entity tag of the API.
alter table partner add column revision bigint not null default 1;
