-- Whose use a contract has to do with: partners come and go by their terms.

create index partner_terms_of_contract on partner_terms (contract_id, partner_id);

-- Names as they are searched and sorted by. To fold a hundred thousand of them anew takes longer than the rest of a page.
alter table organisation
    add column name_key text generated always as (lower(name)) stored;
create index organisation_by_name on organisation (parent_id, name_key, seq) where closed_at is null;

-- How many there are, counted in the index: on every list, and for each contract beside it.
create index partner_living on partner (distributor_id, contract_id) where closed_at is null;
