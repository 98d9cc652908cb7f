"""Settings, from `TONNAGE_*` variables; the command line overrides them."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_data_dir() -> Path:
    """Where state lives unless told otherwise: the system's place for root, the user's data home for anybody else."""
    if os.geteuid() == 0:
        return Path("/var/lib/tonnage")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "tonnage"


class Settings(BaseSettings):
    """What an operator can set. Every field is also an environment variable: `TONNAGE_` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="TONNAGE_", env_ignore_empty=True, frozen=True)

    database_url: str | None = None
    """A PostgreSQL >= 15 to use; the embedded one when unset."""
    data_dir: Path = Field(default_factory=default_data_dir)
    """Holds the embedded database, its secrets and the demo's keys."""
    secret_key_file: Path | None = None
    """Keys that seal secrets at rest, one a line, newest first; `DATA_DIR/secret.key` when unset and embedded."""
    deletion_grace_days: int = Field(default=30, ge=1, le=3650)
    """Days between the request to delete a storage account and its purge."""
