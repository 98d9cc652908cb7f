-- Secrets at rest, encrypted with the keys of the key file. The one named `canary` proves to `tonnage doctor` that the
-- keys at hand decrypt them. Others are named for what they belong to: `region/ID`, `totp/ID`, `totp-new/ID`.

create table sealed_secret (
    name text primary key,
    ciphertext bytea not null
);
