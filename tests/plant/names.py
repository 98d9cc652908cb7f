"""Violations of the rules of names, sizes, texts and documents."""

from tests.plant.kind import DOCUMENTS, HOUSE, MESSAGES, RUFF, Plant, house

_LONG = "def planted() -> None:\n" + '    """Planted."""\n' * 41
_FIXTURE = "import pytest\n\n\n@pytest.fixture\ndef untold() -> int:\n    return 1\n"

PLANTS = [
    Plant("one name, two types", HOUSE, "src/tonnage/partners/planted_type.py", "class Session: ...\n",
          r"Session: is a type at .*partners/planted_type\.py"),
    house("vague name", "accounts/helpers.py", "", "the name says nothing"),
    house("coined word of a file", "usage/sweep.py", "", "list of coined words"),
    house("coined word of a type", "partners/planted_words.py", "class Standing: ...\n", "Standing: .*coined words"),
    house("coined word of a function", "members/planted_words.py", "def is_told() -> None: ...\n", "is_told: .*coined"),
    house("coined word of a variable", "regions/planted_variable.py", "told = 1\n", "told: told is on the list"),
    house("coined word of a parameter", "regions/planted_parameter.py", "def planted(spent: int) -> None: ...\n",
          "spent: spent is on the list"),
    Plant("coined word in the schema", HOUSE, "src/tonnage/migrations/schema.sql", "CREATE TABLE planted_sweep ();\n",
          r"schema\.sql: planted_sweep is on the list"),
    Plant("coined word of a fixture", HOUSE, "tests/planted_fixture.py", _FIXTURE, "untold: untold is on the list"),
    house("coined word of a docstring", "partners/planted_prose.py", '"""Whoever asks."""\n', "whoever is denied"),
    house("coined word of a comment", "partners/planted_comment.py", "# It is told.\n", "told is denied"),
    house("path of before", "web/listing.py", "", "has another name now"),
    house("long file", "accounts/planted_long.py", "# planted\n" * 301, "has 301 lines"),
    house("long function", "accounts/planted_function.py", _LONG, "planted has more than 40 lines"),
    house("lambda that only passes on", "accounts/planted_lambda_actions.py",
          "PLANTED = lambda conn: planted(conn, 1)\n", "only passes its connection on"),
    Plant("import of a neighbour by dots", RUFF, "src/tonnage/accounts/planted_dots.py", "from . import account\n",
          r"planted_dots\.py.*TID252"),
    Plant("time without a zone", RUFF, "src/tonnage/accounts/planted_zone.py",
          "from datetime import datetime\n\nPLANTED = datetime(2026, 1, 1)\n", r"planted_zone\.py.*DTZ001"),
    Plant("link that leads nowhere", DOCUMENTS, "docs/api.md", "\n[planted](planted.md)\n", "planted.md leads nowhere"),
    house("number field that drops a comma", "console/components/planted_number.html", '<input type="number">\n',
          "a number is a text field"),
    house("e-mail field that browsers rewrite", "console/components/planted_email.html", '<input type="email">\n',
          "an e-mail address is a text field"),
    house("address folded by itself", "members/planted_email.py", "PLANTED = member.email.lower()\n",
          "only email_address.py folds"),
    house("address that a library parses", "members/planted_parser.py", "import email_validator\n",
          "only email_address.py parses"),
    house("number of a field as a browser reads it", "console/assets/planted.js", "field.valueAsNumber;\n",
          "a number is a text field"),
    Plant("text inside of an f-string", MESSAGES, "src/tonnage/console/planted_fstring.py",
          "from tonnage.console.rendering import gettext\n\nPLANTED = f\"({gettext('Planted')})\"\n",
          "planted_fstring.py:3 has a text inside of an f-string"),
    Plant("text that is not collected", MESSAGES, "src/tonnage/console/planted_text.py",
          "from tonnage.console.rendering import gettext\n\nPLANTED = gettext('A planted text')\n", "console.pot"),
]  # fmt: skip
