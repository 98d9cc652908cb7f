"""The processes of this machine, read from /proc: a small Debian has no pgrep."""

from pathlib import Path


def children(pid: int) -> list[int]:
    """The running processes that `pid` has started."""
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if parent(int(path.name)) == pid]


def descendants(pid: int) -> list[int]:
    """`children`, and theirs."""
    return [process for child in children(pid) for process in (child, *descendants(child))]


def parent(pid: int) -> int | None:
    """The parent's id; None for a process that has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name of the program, in parentheses, may itself have blanks and parentheses.
    return int(stat.rpartition(")")[2].split()[1])
