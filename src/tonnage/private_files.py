"""Files for their owner only. Root creates them for the owner of the folder, whose server must be able to read them."""

import os
from pathlib import Path


def open_private(path: Path, flags: int) -> int:
    """Opens a file, or creates it for its owner only, with any umask; never through a link. Raises OSError."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    os.fchmod(descriptor, 0o600)
    give_to_owner_of(path.parent, descriptor)
    return descriptor


def give_to_owner_of(folder: Path, file: int | Path) -> None:
    """Changes the owner of a file, or of a descriptor, to the folder's, if this process is root."""
    if os.geteuid() == 0:
        owner = folder.stat()
        if owner.st_uid != 0:
            os.chown(file, owner.st_uid, owner.st_gid)
