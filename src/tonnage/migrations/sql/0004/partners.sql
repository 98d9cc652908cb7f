-- No partner comes under a closed distributor, whichever program creates it. Who creates one waits for a concurrent
-- closing, which locks the distributor FOR UPDATE, and the closing waits for those who create one. FOR KEY SHARE, which
-- the foreign keys to the distributor need anyway, but earlier: before the contract is locked, as a closing does.
create function require_open_distributor() returns trigger language plpgsql as $$
begin
    perform from organisation where id = new.distributor_id and closed_at is null for key share;
    if not found then
        raise foreign_key_violation using
            message = 'the distributor is closed, or there is no such distributor',
            table = 'partner', constraint = 'partner_open_distributor';
    end if;
    return new;
end $$;
create trigger open_distributor before insert on partner for each row execute function require_open_distributor();
