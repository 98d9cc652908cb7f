-- Organisations: the operator, distributors and partners. A partner has a second row, in `partner`, with the same id.

-- Also written by: partners (inserts and renames its own, closed_at), authentication (second_factor_required).
create table organisation (
    id uuid primary key default gen_random_uuid(),
    seq bigint generated always as identity unique,  -- order of creation, for lists and their cursors
    kind text not null,
    parent_id uuid references organisation,          -- a partner's distributor; never changes
    name text not null,
    name_key text collate "C" not null,              -- what lists search and sort by; the program makes it (names.py)
    second_factor_required boolean not null default false,
    created_at timestamptz not null default now(),
    closed_at timestamptz,
    constraint organisation_kind check (kind in ('operator', 'distributor', 'partner')),
    constraint organisation_parent check ((kind = 'partner') = (parent_id is not null)),
    constraint organisation_name check (char_length(name) between 1 and 200)
);
create unique index organisation_one_operator on organisation (kind) where kind = 'operator';
create index organisation_parent_id_seq_idx on organisation (parent_id, seq);
-- The partners of a distributor, and everybody's.
create index organisation_parent_id_name_key_idx on organisation (parent_id, name_key) where closed_at is null;
create index organisation_name_key_idx on organisation (name_key) where closed_at is null;

-- Last, when all of its indexes exist: CREATE INDEX on a table with one row records a size of one page. The planner
-- believes that, and every connection would check the foreign keys to organisations by sequential scans until the table
-- has been analysed. Of a table without a recorded size it expects ten pages.
insert into organisation (kind, name, name_key) values ('operator', 'Operator', 'operator');
