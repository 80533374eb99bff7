"""What signals may be called, and the rules that say what they mean."""

from __future__ import annotations

from typing import Any

import pytest

from unrot.core.errors import Invalid
from unrot.core.rules import RULES, Rules, describe, parse_rules, parse_texts, sentences
from unrot.core.signals import MOST_LETTERS, MOST_RULES, is_name


@pytest.mark.parametrize("name", ["abandoned", "x" * MOST_LETTERS, "zurückgelegt", "a: b", "👎"])
def test_name_is_a_short_printable_text(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name", ["", " a", "a\n", "a,b", "x" * (MOST_LETTERS + 1), 7, None, True, "\ud800", ["a"]]
)
def test_nothing_else_is_a_name(name: Any) -> None:
    assert not is_name(name)


@pytest.mark.parametrize(
    "given", ["abandoned: wrong, copied: right", {"abandoned": "wrong", "copied": "right"}]
)
def test_rules_are_read_as_people_write_them(given: Any) -> None:
    rules = parse_rules({"signals": given}, Rules(), [])

    assert rules.signals == {"abandoned": "wrong", "copied": "right"}
    assert parse_rules(describe(rules), Rules(), []) == rules
    assert parse_texts(RULES.texts(rules), Rules(), []) == rules
    assert sentences(rules)[-1] == (
        "Signals: abandoned counted as wrong, copied counted as right; all others only counted. "
        "They change no accuracy."
    )


@pytest.mark.parametrize("given", ["", None, {}])
def test_rules_are_taken_away(given: Any) -> None:
    before = Rules(signals={"abandoned": "wrong"})

    assert parse_rules({"signals": given}, before, []) == Rules()


@pytest.mark.parametrize(
    "given",
    [
        "abandoned",
        "abandoned: bad",
        ": wrong",
        "a: wrong, a: right",
        {"abandoned": 7},
        {"a,b": "wrong"},
        {7: "wrong"},
        [["abandoned", "wrong"]],
        5,
        {f"s{number}": "wrong" for number in range(MOST_RULES + 1)},
    ],
)
def test_what_is_no_rule_is_refused_by_name(given: Any) -> None:
    with pytest.raises(Invalid) as caught:
        parse_rules({"signals": given}, Rules(), [])

    assert caught.value.details[0].field == "signals"
