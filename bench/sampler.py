"""`python -m bench.sampler URL KEY_FILE REGION`: runs the product's sampling job once and prints its seconds."""

import asyncio
import sys
import time
from pathlib import Path

from tonnage.db import connect
from tonnage.regions.backends import open_backends
from tonnage.services import Services
from tonnage.worker import DECLARED


async def _run(url: str, key_file: Path, region: str) -> float:
    async with connect(url) as database, open_backends(database, key_file) as backends:
        begin = time.monotonic()
        await DECLARED["metering.sample"].function(Services(database, backends), region)
        return time.monotonic() - begin


if __name__ == "__main__":
    print(asyncio.run(_run(sys.argv[1], Path(sys.argv[2]), sys.argv[3])))
