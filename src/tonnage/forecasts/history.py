"""The daily use of a run's subjects as numbers: of accounts and partners as it is read, of contracts their sums."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

import numpy as np

from tonnage.forecasts.bootstrap import READ_DAYS, Floats, UsageHistory, forecast
from tonnage.forecasts.forecast import FullBy, NoForecast
from tonnage.forecasts.measured_subject import MeasuredSubject


@dataclass(frozen=True)
class Histories:
    """What is read until `last`, the last day that is over."""

    last: date
    _of_contracts: dict[UUID, Floats] = field(default_factory=dict[UUID, Floats])
    """The sums of their partners: 1 KB for each."""

    @property
    def first(self) -> date:
        """The first day that is read."""
        return self.last - timedelta(days=READ_DAYS - 1)

    def forecasts(self, subjects: Sequence[MeasuredSubject]) -> list[tuple[MeasuredSubject, FullBy | NoForecast]]:
        """Of those that have a capacity. The use of partners is added to that of their contracts."""
        found: list[tuple[MeasuredSubject, FullBy | NoForecast]] = []
        for subject in subjects:
            usage = self._usage(subject)
            if subject.contract_id is not None:
                known = self._of_contracts.get(subject.contract_id)
                self._of_contracts[subject.contract_id] = usage if known is None else known + usage
            if subject.capacity > 0:
                lived = max((self.last - max(subject.born, self.first)).days + 1, 0)
                history = UsageHistory(str(subject.id), self.last, usage[len(usage) - lived :], float(subject.capacity))
                found.append((subject, forecast(history)))
        return found

    def _usage(self, subject: MeasuredSubject) -> Floats:
        usage = np.zeros(READ_DAYS)
        if isinstance(subject.id, UUID) and (known := self._of_contracts.get(subject.id)) is not None:
            return known
        if subject.days and subject.usage:
            usage[list(subject.days)] = subject.usage
        if subject.rolled_up_to is not None and subject.rolled_up_to < self.last:
            usage[max((subject.rolled_up_to - self.first).days + 1, 0) :] = subject.used
        return usage
