"""How lists are joined with forecasts and sorted by them, as texts of SQL. Of a capacity that was changed since there
is no forecast.
"""

from typing import LiteralString

PARTNER_FORECAST: LiteralString = (
    "left join forecast f on f.partner_id = p.id and f.partner_id is not null and f.capacity = p.allocated_capacity"
)
"""For rows `p` of partners. Its index is of the rows with a partner: the database has to know that this is one."""

CONTRACT_FORECAST: LiteralString = (
    "left join forecast f on f.contract_id = k.id and f.contract_id is not null and f.capacity = k.reserved_capacity"
)
"""For rows `k` of contracts."""

ACCOUNT_FORECAST: LiteralString = (
    "left join forecast f on f.account_id = s.id and f.account_id is not null and f.capacity = s.allocated_capacity"
)
"""For rows `s` of storage accounts."""

FULL_DAY: LiteralString = "case f.reason when 'full' then date '0001-01-01' else coalesce(f.likely, '9999-12-31') end"
"""The order of their rows: what is full already, by likely days, then what has no forecast of days."""
