"""`python -m tests.sbom FOLDER`, for `make sbom`: what a release consists of.

uv exports the Python packages of its lock file, with their hashes, as CycloneDX. This adds what uv does not know: their
licences, and the browser assets of npm's lock file. `licences.csv` has the licences alone.
"""

import base64
import csv
import json
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
EXPORT = ("export", "--frozen", "--quiet", "--no-dev", "--preview-features", "sbom-export", "--format", "cyclonedx1.5")
CLASSIFIER = "License :: "


def bill_of_materials() -> Any:
    """In the format of CycloneDX 1.5."""
    uv = Path(sys.executable).parent / "uv"
    bill = json.loads(subprocess.run([uv, *EXPORT], cwd=ROOT, check=True, capture_output=True).stdout)
    for component in bill["components"]:
        component["licenses"] = [python_licence(component["name"])]
    assets = browser_components()
    bill["components"] += assets
    root = bill["metadata"]["component"]
    root["licenses"] = [python_licence(root["name"])]
    (needs,) = [entry for entry in bill["dependencies"] if entry["ref"] == root["bom-ref"]]
    needs["dependsOn"] += [asset["bom-ref"] for asset in assets]
    bill["dependencies"] += [{"ref": asset["bom-ref"], "dependsOn": []} for asset in assets]
    return bill


def python_licence(name: str) -> Any:
    """As the installed package states it. RuntimeError if it states none."""
    stated: Any = metadata(name)
    if expression := stated.get("License-Expression"):
        return {"expression": expression}
    classifiers = [line for line in stated.get_all("Classifier") or () if line.startswith(CLASSIFIER)]
    if text := classifiers[0].rpartition(" :: ")[2] if classifiers else stated.get("License"):
        return {"license": {"name": text}}
    raise RuntimeError(f"{name} states no licence")


def browser_components() -> list[Any]:
    packages: dict[str, dict[str, str]] = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    return [
        browser_component(path.rpartition("node_modules/")[2], package) for path, package in packages.items() if path
    ]


def browser_component(name: str, package: dict[str, str]) -> Any:
    algorithm, _, digest = package["integrity"].partition("-")
    purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
    content = base64.b64decode(digest).hex()
    archive = {
        "type": "distribution",
        # npm leaves it out of the lock file.
        "url": f"https://registry.npmjs.org/{name}/-/{name.rpartition('/')[2]}-{package['version']}.tgz",
        "hashes": [{"alg": algorithm.upper().replace("SHA", "SHA-"), "content": content}],
    }
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": package["version"],
        "purl": purl,
        "licenses": [{"expression": package["license"]}],
        "externalReferences": [archive],
    }


def write(folder: Path) -> None:
    bill = bill_of_materials()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sbom.cdx.json").write_text(json.dumps(bill, indent=2) + "\n")
    with (folder / "licences.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["package", "version", "licence"])
        for component in bill["components"]:
            (licence,) = component["licenses"]
            stated = licence.get("expression") or licence["license"]["name"]
            lines.writerow([component["purl"].partition("@")[0], component["version"], stated])


if __name__ == "__main__":
    write(Path(sys.argv[1]))
