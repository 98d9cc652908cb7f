"""`python -m bench.sampler URL KEY_FILE REGION`: one run of the product's sampling job; prints its seconds."""

import asyncio
import sys
import time
from pathlib import Path

from tonnage.clock import wall_clock
from tonnage.db import connect
from tonnage.regions.planes import opened
from tonnage.usage.jobs import sample


async def _run(url: str, key_file: Path, region: str) -> float:
    async with connect(url) as database, opened(database, key_file) as planes:
        begin = time.monotonic()
        await sample(database, planes, wall_clock, region)
        return time.monotonic() - begin


if __name__ == "__main__":
    print(asyncio.run(_run(sys.argv[1], Path(sys.argv[2]), sys.argv[3])))
