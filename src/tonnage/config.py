"""Settings, from `TONNAGE_*` variables; the command line overrides them."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, IPvAnyNetwork
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def default_data_dir() -> Path:
    """The default folder for state: the system's folder for root, the user's data home for other users."""
    if os.geteuid() == 0:
        return Path("/var/lib/tonnage")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "tonnage"


def default_sandbox_dir() -> Path:
    """That of a sandbox, so that it is never taken for another installation."""
    found = default_data_dir()
    return found.with_name(f"{found.name}-sandbox")


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _origin(url: str) -> str:
    wrong = "write it as https://console.example.com, without a path"
    try:
        parts = urlsplit(url)
        is_bare = parts.port != 0 and not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    except ValueError:
        raise ValueError(wrong) from None
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or not is_bare
        or not url.isprintable()
        or " " in url
    ):
        raise ValueError(wrong)
    return url.rstrip("/")


_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|[0-9a-f:.]+", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def _browser_origin(url: str) -> str:
    """An origin as browsers write it, since it is compared exactly."""
    parts = urlsplit(_origin(url))
    host = parts.hostname or ""
    if not _HOST.fullmatch(host):
        raise ValueError("write each origin with its exact host name, an international one as xn--..., without *")
    port = "" if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


class DatabaseUrls(NamedTuple):
    """The libpq URLs of one database. The same where one role does both."""

    program: str
    """Of the role that the program logs in as: it cannot change definitions, nor entries of the audit log."""
    owner: str
    """Of the role that owns the tables, for migrations."""


@dataclass(frozen=True)
class Limits:
    """How much of something an organisation can have, and how often a key can be used. The defaults are those of the
    settings, which say what each is.
    """

    partners: int = 200_000
    accounts: int = 100_000
    members: int = 1_000
    api_keys: int = 1_000
    requests_per_second: int = 50


DEFAULT_LIMITS = Limits()


class Settings(BaseSettings):
    """The operator's settings. Every field is also an environment variable: `TONNAGE_` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="TONNAGE_", env_ignore_empty=True, frozen=True)

    database_url: str | None = None
    """The URL of a PostgreSQL >= 15; the embedded one when unset."""
    migration_database_url: str | None = None
    """The same database by the role that owns the tables, for `tonnage migrate`; `database_url` when unset."""
    data_dir: Path = Field(default_factory=default_data_dir)
    """Contains the embedded database, its secrets and the demo's keys."""
    secret_key_file: Path | None = None
    """The file with the keys for secrets at rest, one per line, newest first; `DATA_DIR/secret.key` when unset and
    embedded.
    """
    deletion_grace_days: int = Field(default=30, ge=1, le=3650)
    """Days between the request to delete a storage account and its purge."""
    public_url: Annotated[str, AfterValidator(_origin)] | None = None
    """The public address of the console, such as `https://console.example.com`; links in mails begin with it."""
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_split)] = ()
    """Addresses and networks of trusted proxies, separated by commas. Their headers about clients are believed."""
    webhook_networks: Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_split)] = ()
    """Your own networks that webhooks may lead to, separated by commas, beside the public internet. All ports."""
    cors_origins: Annotated[
        tuple[Annotated[str, AfterValidator(_browser_origin)], ...], NoDecode, BeforeValidator(_split)
    ] = ()
    """Origins, separated by commas, whose web pages may use the API in browsers, such as `https://app.example.com`."""
    client_address_days: int = Field(default=90, ge=1, le=3650)
    """Days for which the audit log keeps the addresses of clients and the ids of requests."""
    audit_months: int | None = Field(default=None, ge=1, le=1200)
    """Months, besides the present one, for which the audit log keeps its entries; for good when unset."""
    session_idle_minutes: int = Field(default=30, ge=5, le=1440)
    """A member must sign in again after this time without a request for a page."""
    max_connections: int = Field(default=4096, ge=64, le=1_000_000)
    """Connections of clients that one `serve` process accepts, if the limit of open files permits."""
    max_connections_per_client: int = Field(default=256, ge=8, le=1_000_000)
    """Those of one client address; trusted proxies have no such limit."""
    api_requests_per_second: int = Field(default=Limits.requests_per_second, ge=1, le=1_000_000)
    """Requests a second, on average, that each API key can make to a process, unless the key has a limit of its own."""
    max_partners_per_distributor: int = Field(default=Limits.partners, ge=1, le=1_000_000_000)
    max_accounts_per_partner: int = Field(default=Limits.accounts, ge=1, le=1_000_000_000)
    """Storage accounts, with those that wait for deletion."""
    max_members_per_organisation: int = Field(default=Limits.members, ge=1, le=1_000_000_000)
    max_api_keys_per_organisation: int = Field(default=Limits.api_keys, ge=1, le=1_000_000_000)
    """Keys that are neither revoked nor expired."""
    smtp_url: str | None = Field(default=None, repr=False)
    """The mail server: `smtp://user:password@mail.example.com:587` (STARTTLS), `smtps://...` (TLS from the start) or
    `smtp+plain://...` (without TLS). Mails go to the log when unset.
    """
    mail_from: str | None = None
    """The sender of mails, such as `Storage console <console@example.com>`."""

    @property
    def database_urls(self) -> DatabaseUrls | None:
        """None: the embedded database."""
        if self.database_url is None:
            return None
        return DatabaseUrls(self.database_url, self.migration_database_url or self.database_url)

    @property
    def limits(self) -> Limits:
        """Those of them that limit organisations and keys."""
        return Limits(
            self.max_partners_per_distributor,
            self.max_accounts_per_partner,
            self.max_members_per_organisation,
            self.max_api_keys_per_organisation,
            self.api_requests_per_second,
        )
