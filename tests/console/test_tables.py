"""A table's declaration agrees with its list's sort orders and with its rows."""

from collections.abc import Sequence

import pytest

from tonnage.accounts.lists import OWN_ACCOUNTS, AccountRow
from tonnage.console.tables.accounts import OWN_ACCOUNTS_TABLE
from tonnage.console.tables.contracts import CONTRACTS_TABLE
from tonnage.console.tables.distributors import DISTRIBUTORS_TABLE
from tonnage.console.tables.members import MEMBERS_TABLE, TEAM_TABLE
from tonnage.console.tables.partners import OWN_PARTNERS_TABLE
from tonnage.console.tables.table import Table
from tonnage.lists import ListSpec
from tonnage.members.lists import MEMBERS, MemberRow
from tonnage.members.queries import TeamRow
from tonnage.partners.contract_lists import CONTRACTS, ContractRow
from tonnage.partners.distributor_lists import DISTRIBUTORS, DistributorRow
from tonnage.partners.lists import OWN_PARTNERS, PartnerRow

TABLES = (
    (OWN_PARTNERS_TABLE, OWN_PARTNERS, PartnerRow),
    (CONTRACTS_TABLE, CONTRACTS, ContractRow),
    (DISTRIBUTORS_TABLE, DISTRIBUTORS, DistributorRow),
    (OWN_ACCOUNTS_TABLE, OWN_ACCOUNTS, AccountRow),
    (MEMBERS_TABLE, MEMBERS, MemberRow),
    (TEAM_TABLE, None, TeamRow),
)


def repeated(names: Sequence[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}


@pytest.mark.parametrize(("table", "spec", "row"), TABLES)
def test_columns_agree_with_the_list(table: Table, spec: ListSpec | None, row: type[object]) -> None:
    read = [column.name for column in table.columns if column.file or column.show or column.needs_values]
    assert [name for name in read if not hasattr(row, name)] == []
    assert [column.name for column in table.columns if not column.heading and not column.file] == []
    assert bool(table.file_name) == any(column.file for column in table.columns)
    if spec is not None:
        assert {column.sort for column in table.columns if column.sort} <= set(spec.sorts)
        assert tuple(table.filters) == tuple(spec.filters)
        assert table.search
        assert table.no_match


@pytest.mark.parametrize("table", [table for table, _, _ in TABLES])
def test_no_column_is_repeated(table: Table) -> None:
    for kind in {column.only for column in table.columns}:
        seen = [column for column in table.columns if column.only in {None, kind}]
        assert repeated([column.heading for column in seen if column.heading]) == set()
        assert repeated([column.file for column in seen if column.file]) == set()
