"""A customer of an account with an ordinary S3 client."""

import json
from datetime import datetime
from typing import Any, Self

import boto3
import httpx
from botocore.config import Config
from botocore.exceptions import ClientError

from testbed.gateway import Gateway
from tonnage.storage.backend import AccessKey
from tonnage.storage.signing import GatewayAuth

_CONFIG = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})


class Customer:
    def __init__(self, gateway: Gateway, key: AccessKey) -> None:
        self._gateway = gateway
        self._key = key
        boto: Any = boto3
        self.s3: Any = boto.client(
            "s3",
            endpoint_url=gateway.address,
            aws_access_key_id=key.access_key,
            aws_secret_access_key=key.secret_key,
            region_name="us-east-1",
            config=_CONFIG,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.s3.close()

    def attempt(self, operation: str, **arguments: Any) -> str:
        """'done', or the code of the refusal."""
        try:
            answer = getattr(self.s3, operation)(**arguments)
        except ClientError as error:
            refusal: Any = error.response
            return str(refusal["Error"]["Code"])
        if "Body" in answer:
            answer["Body"].close()
        return "done"

    def stores(self, bucket: str, size: int, name: str = "object") -> str:
        return self.attempt("put_object", Bucket=bucket, Key=name, Body=b"x" * size)

    def grant_access(self, account_id: int, bucket: str) -> None:
        """Permits another account every action on the bucket."""
        everything = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
        guest = {"AWS": [f"arn:aws:iam::acct_{account_id}:user/main"]}
        statement = {"Effect": "Allow", "Principal": guest, "Action": "s3:*", "Resource": everything}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        self.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))

    def request_other_account(self, method: str, account_id: int, path: str, content: bytes | None = None) -> int:
        """The status of a request to another account's bucket, whose name boto3 rejects."""
        address = f"{self._gateway.address}/acct_{account_id}%3A{path}"
        with httpx.Client(auth=GatewayAuth(self._key), trust_env=False) as client:
            return client.request(method, address, content=content).status_code

    def read_anonymously(self, account_id: int, path: str) -> bytes:
        return httpx.get(f"{self._gateway.address}/acct_{account_id}%3A{path}", trust_env=False).content

    def put_locked(self, bucket: str, until: datetime) -> str:
        """Stores an object that must not be deleted before `until`; returns its version."""
        lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
        return str(self.s3.put_object(Bucket=bucket, Key="locked", Body=b"evidence", **lock)["VersionId"])
