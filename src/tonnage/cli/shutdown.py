"""How a command that runs for long is ended: by SIGTERM, by Ctrl-C, or with its terminal."""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

_NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class GracefulShutdown:
    """What a signal does, at each time of a command's life.

    While it starts: the first one unwinds it, with exit status 0. While it runs: see `running`. Afterwards, when what
    it has started is being stopped: nothing, since an impatient second Ctrl-C would leave a database behind.
    """

    def __init__(self) -> None:
        self.failed = False
        """Something that the command cannot do without has ended."""
        self._steps: list[Callable[[], None]] = [self._unwind]
        self._stop: Callable[[], None] | None = None

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
        """While the command runs: the first signal calls `first`, the second one `second`, to hurry.

        So does `fail` call `first`, from any thread.
        """
        self._steps = [first, second]
        self._stop = first
        if self.failed:
            first()
        with self.over_afterwards():
            yield

    @contextmanager
    def over_afterwards(self) -> Generator[None]:
        """From the end of this, however it comes, signals do nothing."""
        try:
            yield
        finally:
            self._steps = []

    def fail(self) -> None:
        """Ends the command as the first signal would; the signals keep their meaning, for who does not want to wait.

        While it starts there is nothing to stop yet: then `running` heeds it.
        """
        self.failed = True
        if self._stop is not None:
            self._stop()

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self._steps:
            self._steps.pop(0)()

    def _unwind(self) -> None:
        raise SystemExit(0)
