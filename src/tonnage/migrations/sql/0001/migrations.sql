-- What the migrations record of themselves, beside Alembic's own table alembic_version.

-- One row. It stands in the database, because an older program does not have the file of a newer revision. Its absence
-- beside an alembic_version is how a database of an unreleased version, or of another program, is recognised.
create table schema_compatibility (
    oldest_program text not null                     -- the newest revision of the oldest that may still run
);

-- The migrations of the job queue's library that this database has. Its tables are the library's: a new database gets
-- them whole, an older one step by step.
create table queue_migration (
    name text primary key,                           -- the library's name of the step
    library_version text not null,                   -- of the library that applied it
    applied_at timestamptz not null default now()
);
