alter table region drop constraint region_backend;
alter table region add constraint region_backend check (backend in ('metered', 'ceph', 'simulated'));

-- Time runs faster in a sandbox, and what is due there is deleted: no real cluster may be behind it.
create function require_backend_of_database() returns trigger language plpgsql as $$
begin
    if new.backend <> 'metered' and (new.backend = 'simulated') <> exists (select from sandbox_clock) then
        raise exception 'a simulated region is in a sandbox, a cluster is in no sandbox'
            using errcode = 'check_violation', constraint = 'region_of_sandbox';
    end if;
    return new;
end $$;
create trigger backend_of_database before insert or update of backend on region
    for each row execute function require_backend_of_database();
