"""Documents a second and core: statements of one page, each with other texts, as PDF.

`python -m bench.rendering [COUNT]` measures this alone, and what a busy thread makes others wait.
"""

import resource
import sys
import threading
import time

from tests.document_files.papers import line, paper
from tonnage.documents.actions import rendered

COUNT = 1_000


def measure(count: int = COUNT) -> list[float]:
    """Documents per second of CPU, of every hundred; the first one, which loads the fonts, is made before."""
    _render(count)
    rates: list[float] = []
    for first in range(0, count, 100):
        begin = time.process_time()
        for number in range(first, first + 100):
            _render(number)
        rates.append(100 / (time.process_time() - begin))
    return rates


def _render(number: int) -> None:
    lines = [line(one, f"{number}.{one:02}", f"Customer {number} of {one}") for one in range(1, 9)]
    rendered(paper(*lines, number=f"INV-2026-{number:05}", buyerName=f"Buyer {number}"))


def longest_wait(seconds: float = 5) -> float:
    """Milliseconds for which this thread was held up while another one rendered."""
    ended = threading.Event()
    other = threading.Thread(target=_until, args=(ended,))
    other.start()
    longest, last = 0.0, time.monotonic()
    begin = last
    while last - begin < seconds:
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    ended.set()
    other.join()
    return longest * 1000


def _until(ended: threading.Event) -> None:
    number = 0
    while not ended.is_set():
        _render(number)
        number += 1


if __name__ == "__main__":
    rates = measure(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)
    print(f"{min(rates):.1f} .. {max(rates):.1f} documents a second and core")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    print(f"{longest_wait():.1f} ms")
