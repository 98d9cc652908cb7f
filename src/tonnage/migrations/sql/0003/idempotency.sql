-- Responses to requests that had an Idempotency-Key, for 24 hours: the same request again gets the same response.

create table idempotency_key (
    organisation_id uuid not null,
    key text collate "C" not null,
    attempt uuid not null,                  -- the request that stores the response
    request_digest bytea not null,          -- an HMAC: bodies contain passwords
    status smallint not null,
    response text,                          -- null: no body, or not known yet
    revision bigint,                        -- of the ETag
    sealed_secret text,                     -- the secret of a new access key
    pending_until timestamptz,              -- the request waits for a cluster; from then on, another one may start anew
    created_at timestamptz not null,
    primary key (organisation_id, key),
    constraint idempotency_key_length check (length(key) between 1 and 255),
    constraint idempotency_key_pending check (pending_until is null or response is null)
);
create index idempotency_key_created_at_idx on idempotency_key (created_at);

-- Called by the statement that makes a change, for its last column: stores the response under the request's
-- Idempotency-Key, if it has one, and returns it. Unique violation idempotency_key_used: another request with the key has
-- made its change, so this one is rolled back. idempotency_key_in_progress: one is about to.
create function save_response(
    stamp jsonb, response json, revision bigint default null, sealed_secret text default null,
    pending_seconds integer default null
) returns json language plpgsql as $$
declare
    request jsonb := stamp -> 'idempotency';
    requested_at timestamptz;
    is_free boolean;
begin
    if request is null then
        return response;
    end if;
    requested_at := request ->> 'at';
    -- The lock timeout ends the first wait after half of the time for which a request may wait.
    for wait in 1..2 loop
        begin
            insert into idempotency_key as saved (
                organisation_id, key, attempt, request_digest, status, response, revision, sealed_secret,
                pending_until, created_at
            ) values (
                (stamp ->> 'organisation')::uuid, request ->> 'key', (request ->> 'attempt')::uuid,
                decode(request ->> 'digest', 'hex'), (request ->> 'status')::smallint,
                case when pending_seconds is null then save_response.response end, save_response.revision,
                save_response.sealed_secret, requested_at + make_interval(secs => pending_seconds), requested_at
            ) on conflict (organisation_id, key) do update set
                attempt = excluded.attempt, request_digest = excluded.request_digest, status = excluded.status,
                response = excluded.response, revision = excluded.revision, sealed_secret = excluded.sealed_secret,
                pending_until = excluded.pending_until, created_at = excluded.created_at
            where saved.attempt = excluded.attempt
                or saved.pending_until <= excluded.created_at
                or saved.created_at <= excluded.created_at - interval '24 hours';
            is_free := found;
            exit;
        exception when lock_not_available then
            if wait = 2 then
                raise lock_not_available using constraint = 'idempotency_key_in_progress',
                    message = 'another request with this Idempotency-Key is in progress';
            end if;
        end;
    end loop;
    if not is_free then
        raise unique_violation using constraint = 'idempotency_key_used',
            message = 'another request with this Idempotency-Key has made its change';
    end if;
    return response;
end $$;
