"""A data directory for all tests of a process that need one: files in it are named after their installation."""

from pathlib import Path
from tempfile import TemporaryDirectory

_FOLDER = TemporaryDirectory(prefix="tonnage-tests-")
"""Removed when the process ends."""

DATA_DIR = Path(_FOLDER.name)
