"""The services that every route and job gets."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypedDict
from uuid import UUID

from tonnage.clock import BusinessClock, WallClock
from tonnage.config import DEFAULT_LIMITS, Limits
from tonnage.db import Database
from tonnage.mail import LogOutbox, Mailer
from tonnage.passwords import Passwords
from tonnage.public_http import PublicHttp
from tonnage.sandbox_clock import SandboxClock
from tonnage.storage.backend import Backends
from tonnage.web.proxy_headers import Networks

LOCAL_ORIGIN = "http://127.0.0.1:8080"
"""The address of `tonnage serve` with default settings."""


@dataclass(frozen=True)
class SignInSettings:
    """Settings for signing in to the console."""

    idle: timedelta = timedelta(minutes=30)
    """Idle time after which a session expires."""
    public_url: str | None = None
    """The public URL of the console, without a trailing slash; links in e-mails begin with it."""
    trusted_proxies: Networks = ()
    """Proxies whose headers about the client's address are trusted."""


@dataclass
class SeenEpoch:
    """The highest epoch of an installation that this process has seen: its memory survives that another database is put
    in the place of the present one."""

    installation: UUID | None = None
    epoch: int = 0

    def of(self, installation: UUID) -> int:
        """The highest one; 0 for an installation that was not seen yet."""
        return self.epoch if self.installation == installation else 0

    def see(self, installation: UUID, epoch: int) -> None:
        """Remembers an epoch that is higher."""
        self.installation, self.epoch = installation, max(self.of(installation), epoch)


@dataclass(frozen=True)
class Services:
    """The dependencies of a process's requests and jobs. In the web application: `app.state.services`."""

    database: Database
    backends: Backends
    business_clock: BusinessClock = field(default_factory=BusinessClock)
    wall_clock: WallClock = field(default_factory=WallClock)
    sandbox_clock: SandboxClock | None = None
    """The source of the business clock, if the database may be a sandbox."""
    passwords: Passwords = field(default_factory=Passwords)
    mailer: Mailer = field(default_factory=lambda: Mailer(LogOutbox(), LOCAL_ORIGIN))
    key_file: Path | None = None
    """The file with the keys that seal secrets; without it none can be sealed."""
    data_dir: Path | None = None
    """The directory for what has to outlive the database; without it nothing is recorded there."""
    deletion_grace_days: int = 30
    client_address_days: int = 90
    audit_months: int | None = None
    sign_in: SignInSettings = SignInSettings()
    limits: Limits = DEFAULT_LIMITS
    embedded_dir: Path | None = None
    """The data directory of the embedded database; None without one."""
    public_http: PublicHttp = field(default_factory=PublicHttp)
    """Sends requests to addresses that organisations have chosen."""
    seen: SeenEpoch = field(default_factory=SeenEpoch)

    async def business_now(self) -> datetime:
        """The business time of what begins now. A sandbox reads it from the database, since any process may have
        advanced it; what goes on asks `business_clock`.
        """
        if self.sandbox_clock is not None:
            await self.sandbox_clock.refresh(self.database)
        return self.business_clock()

    @property
    def sandbox_time(self) -> datetime | None:
        """The business time, as last read, if the database is a sandbox."""
        return self.sandbox_clock.time if self.sandbox_clock else None


class ServiceOptions(TypedDict, total=False):
    """The fields of `Services` that need no open database; those left out have their defaults."""

    business_clock: BusinessClock
    wall_clock: WallClock
    sandbox_clock: SandboxClock | None
    passwords: Passwords
    mailer: Mailer
    key_file: Path | None
    data_dir: Path | None
    deletion_grace_days: int
    client_address_days: int
    audit_months: int | None
    sign_in: SignInSettings
    limits: Limits
    embedded_dir: Path | None
    public_http: PublicHttp
