"""Programs of later releases: this one's revisions, and those of `revisions/` on top of them."""

from pathlib import Path

from tonnage.migrations.revisions import PROGRAM, Revisions

_FOLDER = Path(__file__).parent / "revisions"

COMPATIBLE = Revisions((*PROGRAM.folders, _FOLDER / "compatible"))
BREAKING = Revisions((*COMPATIBLE.folders, _FOLDER / "breaking"))
FAILING = Revisions((*PROGRAM.folders, _FOLDER / "failing"))
