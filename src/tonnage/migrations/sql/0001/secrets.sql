-- Secrets at rest, sealed by the key file; the canary proves to `doctor` that the keys at hand open them.

create table sealed_secret (
    name text primary key,
    sealed bytea not null
);
