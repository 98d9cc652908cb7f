"""How a command that runs for long is ended: by SIGTERM, by Ctrl-C, or with its terminal."""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

_NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Ending:
    """What a signal does, at each time of a command's life.

    While it starts: the first one unwinds it, with exit status 0. While it runs: see `running`. Afterwards, when what
    it has started is being stopped: nothing, since an impatient second Ctrl-C would leave a database behind.
    """

    def __init__(self) -> None:
        self._steps: list[Callable[[], None]] = [self._unwind]

    @contextmanager
    def watched(self) -> Generator[None]:
        """Around the whole command."""
        before = {number: signal.getsignal(number) for number in _NUMBERS}
        # One that is ignored was set so by nohup.
        wanted = [number for number in _NUMBERS if before[number] is not signal.SIG_IGN]
        for number in wanted:
            signal.signal(number, self._receive)
        try:
            yield
        finally:
            for number in wanted:
                signal.signal(number, before[number])

    @contextmanager
    def running(self, first: Callable[[], None], second: Callable[[], None]) -> Generator[None]:
        """While the command runs: the first signal calls `first`, the second one `second`, to hurry."""
        self._steps = [first, second]
        with self.over_afterwards():
            yield

    @contextmanager
    def over_afterwards(self) -> Generator[None]:
        """From the end of this, however it comes, signals do nothing."""
        try:
            yield
        finally:
            self._steps = []

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self._steps:
            self._steps.pop(0)()

    def _unwind(self) -> None:
        raise SystemExit(0)
