"""What every door and job gets."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypedDict

from tonnage.clock import BusinessClock, WallClock
from tonnage.db import Database
from tonnage.mail import LogOutbox, Mailer
from tonnage.passwords import Passwords
from tonnage.storage.backend import Backends
from tonnage.web.proxy_headers import Networks

LOCAL_ORIGIN = "http://127.0.0.1:8080"
"""Where `tonnage serve` is found unless its settings say otherwise."""


@dataclass(frozen=True)
class SignInSettings:
    """What signing in to the console depends on."""

    idle: timedelta = timedelta(minutes=30)
    """After which an unused session ends."""
    public_url: str | None = None
    """Where people find the console, without a slash at its end; links in mails begin with it."""
    trusted_proxies: Networks = ()
    """Proxies whose statement of the client's address counts."""


@dataclass(frozen=True)
class Services:
    """What a process holds for its requests and jobs. In the web application: `app.state.services`."""

    database: Database
    backends: Backends
    business_clock: BusinessClock = field(default_factory=BusinessClock)
    wall_clock: WallClock = field(default_factory=WallClock)
    passwords: Passwords = field(default_factory=Passwords)
    mailer: Mailer = field(default_factory=lambda: Mailer(LogOutbox(), LOCAL_ORIGIN))
    key_file: Path | None = None
    """The keys that seal secrets; without them none can be sealed."""
    deletion_grace_days: int = 30
    sign_in: SignInSettings = SignInSettings()


class ServiceOptions(TypedDict, total=False):
    """The fields of `Services` that need no open database; those left out have their defaults."""

    business_clock: BusinessClock
    wall_clock: WallClock
    passwords: Passwords
    mailer: Mailer
    key_file: Path | None
    deletion_grace_days: int
    sign_in: SignInSettings
