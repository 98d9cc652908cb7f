"""The order inside a feature: doors, actions, queries, nouns. The order of the packages is import-linter's."""

from tests.house.tree import OTHERS, Kind, by_name, features, modules, of_features, show


def test_the_features_are_found() -> None:
    assert {"access", "accounts", "contracts", "partners", "usage"} <= features()
    assert {kind for _, kind in of_features()} == set(Kind)


def test_imports_inside_a_feature_go_down() -> None:
    """Across features too: a query of one uses no action of another."""
    show(
        [
            f"{module.where}:{line}: {kind.name.lower()} imports {target}, which is {above.name.lower()}"
            for module, kind in of_features()
            for line, target in module.imports
            if (imported := by_name().get(target)) and (above := imported.kind) is not None and above > kind
        ]
    )


def test_a_door_does_not_use_another() -> None:
    """Code that two doors share is a noun, an action, or beside them in their package."""
    show(
        [
            f"{module.where}:{line}: a door imports the door {target}"
            for module, kind in of_features()
            for line, target in module.imports
            if kind is Kind.DOOR and module.where not in OTHERS
            if (imported := by_name().get(target)) and imported.kind is Kind.DOOR and imported.where not in OTHERS
            if (imported.package, imported.stem) != (module.package, module.stem)
        ]
    )


def test_other_files_are_there() -> None:
    assert OTHERS.keys() <= {module.where for module in modules()}
