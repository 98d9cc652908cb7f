"""Coined words that had to be explained, and were replaced by those of the field.

A word that plain usage needs too is denied only at the path where it stood.
"""

import re

WORDS = frozenset(
    {
        *("abreast", "deeds", "discreet", "discretion", "enliven", "guessing", "hasten", "knock", "plane"),
        *("planes", "spent", "surroundings", "sweep", "sweeps", "tell", "tellings", "told", "untold"),
        *("whatever",),
    }
)
"""As a part of any name."""

PROSE = frozenset(
    {
        *("abreast", "deeds", "enliven", "hasten", "hear", "heard", "hears", "somebody", "tell", "tellings", "tells"),
        *("told", "untold", "wanted", "whatever", "whoever", "whomever"),
    }
)
"""In docstrings and comments, except in backticks, where they are code."""

NAMES = frozenset(
    {
        *(
            "Admitted",
            "Agreed",
            "AtOnce",
            "Choices",
            "Door",
            "Early",
            "Edge",
            "Ending",
            "Entrance",
            "Filled",
            "Holding",
        ),
        *("Listed", "Listing", "MonthSoFar", "Patience", "Payload", "Place", "Resources", "Room", "Standing"),
        *("View", "Visit", "Wanted", "_Share", "_Switch"),
        *("forget_missed", "give_up_unsettled", "is_told", "keep_house", "let_hear", "look_after", "lose_keys"),
        *("must_hear", "put_up", "settle_keys"),
    }
)
"""As a whole name."""

NAMES_AT = {
    r"src/tonnage/db": {"attempt"},
    r"src/tonnage/jobs/": {"absorb", "turn"},
    r"src/tonnage/metrics\.py": {"scrape"},
    r"src/tonnage/regions/": {"doubt", "look_at", "prove", "watched"},
    r"src/tonnage/usage/": {"fold", "folded", "settle", "span"},
    r"src/tonnage/web/": {"Answer", "Call", "Reader", "blank", "falling", "fill", "keeps", "picked", "turned", "typed"},
}
"""As a whole name where it stood."""

PATHS = [
    re.compile(path)
    for path in (
        r"sandbox/",
        r"src/tonnage/access/(guessing|keys|key_|member|factor|session|sign_in|reset)",
        r"src/tonnage/accounts/(access_key|discretion|key_|sweep|provisioning|told)",
        r"src/tonnage/cli/(surroundings|ending|post|refusal|plane_report|kinds|rules)\.py",
        r"src/tonnage/console/(own/|shapes|ranges|refusals|start|visit|view|accounts/place)",
        r"src/tonnage/console/distributor/(excess|creation|contract_choice|parts)\b",
        r"src/tonnage/console/operator/(moved|movers)\b",
        r"src/tonnage/wording/sentences\.py",
        r"src/tonnage/scrape\.py",
        r"src/tonnage/storage/(plane|abreast)\.py",
        r"src/tonnage/usage/(fold|keeping|month|mover|monitoring)_queries\.py",
        r"src/tonnage/web/(route|arguments|packing|statics|client|reader|shares|table|listing|payload|moment|reply)\.py",
        r"src/tonnage/web/(documents|sentences)\.py",
        r"src/tonnage/.*(page|facts|view|name)_queries\.py",
        r"tests/(clustered|access_keys/lossy|api/away|browser/(charted|sheet|test_bench)|console/test_costs)\.py",
        r"tests/(api|console)/test_strangers\.py",
    )
]
"""Of files, from the root of the repository on."""
