-- What has reached a level lately, and what has to be paid first: for the start pages.
create index alert_crossed_at_idx on alert (crossed_at);
create index statement_due_idx on statement (seller_id, due_on, id)
    where number is not null and paid_on is null and voided_at is null and (credited = 0 or credited < gross)
        and gross > 0;
