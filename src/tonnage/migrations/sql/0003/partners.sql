-- Whose use a contract has to do with: partners come and go by their terms.

create index partner_terms_of_contract on partner_terms (contract_id, partner_id);

-- Long lists of partners by their names: sorting a hundred thousand of them takes longer than all the rest of the page.
create index organisation_by_name on organisation (parent_id, lower(name), seq) where closed_at is null;

-- How many there are, counted in the index: on every list, and for each contract beside it.
create index partner_living on partner (distributor_id, contract_id) where closed_at is null;
