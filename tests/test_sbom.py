"""The list of what a release consists of."""

import base64
import csv
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.sbom import ROOT, python_licence, write

SIZES = {"SHA-256": 64, "SHA-512": 128}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sbom") / "dist"
    write(folder)
    return folder


@pytest.fixture
def bill(folder: Path) -> Any:
    return json.loads((folder / "sbom.cdx.json").read_text())


def test_every_component_has_its_version_licence_and_hashes(bill: Any) -> None:
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    for component in bill["components"]:
        assert component["licenses"]
        assert component["purl"].endswith(f"@{component['version']}")
        hashes = [one for archive in component["externalReferences"] for one in archive["hashes"]]
        assert hashes, component["name"]
        for one in hashes:
            assert re.fullmatch(f"[0-9a-f]{{{SIZES[one['alg']]}}}", one["content"])


def test_it_has_what_the_lock_files_have_and_nothing_for_development(bill: Any) -> None:
    versions = {component["name"]: component["version"] for component in bill["components"]}
    hashes = {
        one["content"] for part in bill["components"] for file in part["externalReferences"] for one in file["hashes"]
    }
    locked = {part["name"]: part for part in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for requirement in project["project"]["dependencies"]:
        (name,) = re.findall(r"^[a-z0-9-]+", requirement)
        assert versions[name] == locked[name]["version"]
        assert {wheel["hash"].removeprefix("sha256:") for wheel in locked[name]["wheels"]} <= hashes
    for path, package in packages.items():
        if path:
            assert versions[path.removeprefix("node_modules/")] == package["version"]
            assert base64.b64decode(package["integrity"].removeprefix("sha512-")).hex() in hashes
    assert not {"pytest", "hypothesis", "ruff", "uv", "playwright"} & {*versions}


def test_every_reference_leads_to_a_component(bill: Any) -> None:
    known = {component["bom-ref"] for component in [bill["metadata"]["component"], *bill["components"]]}
    assert {entry["ref"] for entry in bill["dependencies"]} == known
    assert {ref for entry in bill["dependencies"] for ref in entry.get("dependsOn", ())} <= known


def test_the_list_of_licences(folder: Path) -> None:
    with (folder / "licences.csv").open(newline="") as file:
        licences = {row["package"]: row["licence"] for row in csv.DictReader(file)}
    assert licences["pkg:pypi/fastapi"] == "MIT"
    assert licences["pkg:pypi/psycopg"] == "LGPL-3.0-only"
    assert licences["pkg:npm/swagger-ui-dist"] == "Apache-2.0"
    assert all(licences.values())


def test_a_package_without_a_licence_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="states no licence"):
        python_licence("axe-playwright-python")
