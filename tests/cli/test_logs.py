"""What is written to the log."""

import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from tests.cli.running import started


def test_the_log_of_requests_has_no_tokens_of_links(
    new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path
) -> None:
    arguments = ("serve", "--access-log", "--no-worker", "--port", "0", "--database-url")
    with new_database() as url, started(*arguments, url, TONNAGE_DATA_DIR=str(tmp_path)) as server:
        page, device = f"{server.origin}/sign-in/new-password", f"{server.origin}/sign-in/device"
        for link in (f"{device}/s3cret", f"{page}/s3cret", f"{page}/s3cret?x=y", f"{page}/s3cret/more"):
            with suppress(urllib.error.HTTPError), urllib.request.urlopen(link, timeout=30):
                pass
        server.wait_for(r'/more HTTP/1\.1" 404')
        log = "".join(server.lines)
        assert "s3cret" not in log
        assert log.count('"GET /sign-in/new-password/...') == 3
        assert log.count('"GET /sign-in/device/...') == 1
