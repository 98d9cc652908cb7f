"""Each feature declares the events of the audit entries that its statements write, and no others."""

import importlib
import re

from tests.house.sql import texts
from tests.house.tree import modules, show
from tonnage.access.event import Event
from tonnage.console.organisation.audit_labels import ACTION_LABELS, NOUNS
from tonnage.security_events.counted_event import Counted

_ACTION = re.compile(r"'([a-z]+\.[a-z-]+)'")
_CALL = "audit(%(stamp)s"
_ARGUMENTS = 400
"""Characters of a call of `audit` in which its action stands, at most."""


def _written() -> set[tuple[str, str]]:
    # One statement writes all events that are counted.
    return {("security_events", str(action)) for action in Counted} | {
        (text.module.package, action)
        for text in texts()
        for call in text.text.split(_CALL)[1:]
        for action in _ACTION.findall(call[:_ARGUMENTS])
    }


def _declared() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for module in modules():
        if module.where == f"{module.package}/events.py":
            events: tuple[Event, ...] = importlib.import_module(f"tonnage.{module.package}.events").EVENTS
            found |= {(module.package, event.action) for event in events}
    return found


def test_what_is_audited_is_declared_by_the_feature_that_writes_it() -> None:
    written, declared = _written(), _declared()
    assert len(written) > 30
    show(
        [
            f"{feature} writes the audit action {action}, which its events.py lacks"
            for feature, action in written - declared
        ]
        + [
            f"{feature}/events.py has {action}, which no statement there writes"
            for feature, action in declared - written
        ]
    )


def test_every_event_has_words_in_the_console() -> None:
    declared = {action for _, action in _declared()}
    assert set(ACTION_LABELS) == declared
    assert {action.partition(".")[0] for action in declared} == set(NOUNS)
