from datetime import date, timedelta

import pytest

from tonnage.errors import Invalid
from tonnage.usage.period import Period

FIRST = date(2026, 1, 31)


@pytest.mark.parametrize("days", [1, 2, 400])
def test_up_to_400_days(days: int) -> None:
    assert Period(FIRST, FIRST + timedelta(days - 1)).first == FIRST


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        (FIRST, FIRST - timedelta(1), "from must not be later than to"),
        (FIRST, FIRST + timedelta(400), "from and to must span at most 400 days, not 401"),
        (date.min, date.max, "from and to must span at most 400 days, not 3652059"),
    ],
)
def test_what_is_no_period_names_both_fields(first: date, last: date, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        Period(first, last)
    assert str(refused.value) == sentence
    assert [field.field for field in refused.value.fields] == ["from", "to"]
