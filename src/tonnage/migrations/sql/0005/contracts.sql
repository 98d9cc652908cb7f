-- A price may be 10^12 itself, as everywhere.
alter table contract drop constraint contract_price,
    add constraint contract_price check (price_cents >= 0 and price_cents <= 1e12 and scale(price_cents) <= 6);
