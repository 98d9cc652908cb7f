"""`python -m testbed.demo`: Tonnage with sample data and one more region on a throw-away Ceph gateway.

Everything is new at every start and removed at the end: the gateway stores its objects in memory.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import httpx

from testbed.gateway import ABSENT, Gateway

ROOT = Path(__file__).parent.parent
REGION = "local-1"
PATIENCE = 120.0

_SNIPPET = """
Paste this into another terminal, in {root}:

.venv/bin/python - <<'END'
import boto3
s3 = boto3.client("s3", endpoint_url="{s3}", region_name="{region}",
                  aws_access_key_id="{access_key}",
                  aws_secret_access_key="{secret_key}")
s3.create_bucket(Bucket="first")
s3.put_object(Bucket="first", Key="hello.txt", Body=b"Hello from Tonnage")
print(s3.get_object(Bucket="first", Key="hello.txt")["Body"].read().decode())
try:
    s3.put_object(Bucket="first", Key="large", Body=bytes(100_000_001))
except s3.exceptions.ClientError as error:
    print("100 MB and one byte:", error.response["Error"]["Code"])
END

The account is {account} of "Test partner", allocated 100 MB. Ctrl-C stops everything.
"""


def _stop(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo-ceph")
    parser.add_argument("--port", default="8080")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "data" / "demo-ceph", help="folder for its data; emptied at the start"
    )
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    if ABSENT:
        print("This demo needs the Ceph programs: apt-get install --no-install-recommends ceph-mon ceph-osd "
              "radosgw ceph-common", file=sys.stderr)  # fmt: skip
        return 1
    signal.signal(signal.SIGTERM, _stop)
    # A shell that starts this in the background may have set SIGINT to be ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    shutil.rmtree(folder, ignore_errors=True)
    data = folder / "tonnage"
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        (folder / "ceph").mkdir(parents=True)
        gateway = Gateway(folder / "ceph")
        stack.callback(gateway.remove)
        server = stack.enter_context(_serving(data, arguments.port))
        account = _open_account(server, gateway, data)
        print(_SNIPPET.format(root=ROOT, s3=gateway.address, region=REGION, **account), flush=True)
        try:
            return server.wait()
        except KeyboardInterrupt:
            return 130


@contextmanager
def _serving(data: Path, port: str) -> "Generator[subprocess.Popen[bytes]]":
    """`tonnage serve --demo`, in its own process group: otherwise Ctrl-C would reach it twice."""
    dies_with_us = ["setpriv", "--pdeathsig", "TERM"]
    serve = [_tonnage(), "serve", "--demo", "--data-dir", str(data), "--port", port]
    process = subprocess.Popen([*dies_with_us, *serve], start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _tonnage() -> str:
    return str(Path(sys.executable).with_name("tonnage"))


def _open_account(server: "subprocess.Popen[bytes]", gateway: Gateway, data: Path) -> dict[str, str]:
    """Creates a storage account on the gateway with an access key, through the partner's API."""
    demo: dict[str, Any] = json.loads(_wait_for_file(server, data / "demo.json"))
    where = ("--s3-url", gateway.address, "--iam-url", gateway.address, "--sts-url", gateway.address)
    subprocess.run(
        [_tonnage(), "region", "add", REGION, *where, "--ceph-admin-url", gateway.address, "--data-dir", str(data)],
        input=f"{gateway.access_key}\n{gateway.secret_key}\n".encode(),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    api = httpx.Client(headers={"Authorization": f"Bearer {demo['keys']['partner_admin']}"}, trust_env=False)
    root = demo["base_url"].removesuffix("/v1")
    details = {
        "name": "Customer on Ceph",
        "allocatedCapacity": 100_000_000,
        "allowOverdraft": False,
        "clientAccount": {"contactEmail": "it@ceph.example.org", "password": "Choose-1-yourself"},
        "region": REGION,
    }
    account = _post_until_accepted(api, f"{root}/v1/storage-account", details)["clientAccountId"]
    key = _post_until_accepted(api, f"{root}/ext/v1/storage-account/{account}/access-keys", {})
    return {"account": account, "access_key": key["accessKey"], "secret_key": key["secretKey"]}


def _wait_for_file(server: "subprocess.Popen[bytes]", file: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while not file.exists():
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("The server did not start. If its port is taken, choose another: make demo-ceph PORT=9090")
        time.sleep(0.1)
    return file.read_text()


def _post_until_accepted(api: httpx.Client, address: str, body: dict[str, Any]) -> dict[str, Any]:
    """The reply to a POST. Repeated while the server does not listen, or the account is not provisioned (503)."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            answer = api.post(address, json=body)
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.status_code != 503:
            answer.raise_for_status()
            return answer.json()
        if time.monotonic() > deadline:
            raise SystemExit(f"{address} failed: {answer and answer.text}")
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
