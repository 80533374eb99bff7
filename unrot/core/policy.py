"""What a model may do by itself: read as the API and forms write it, and said to people.

`parse_policy` takes some of the keys and leaves the rest as they were; `describe` writes all of
them, and what it writes can be sent back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from unrot.core.errors import Detail, Invalid, shown
from unrot.core.records import Policy

EVERY = re.compile(r"(?:every\s+)?(\d{1,7})(?:\s+verdicts?)?", re.IGNORECASE)
MOST_EVERY = 1_000_000
MOST_BATCH = 100_000
LARGEST_SEED = 2**32 - 1
"""What numpy takes."""

_WRONG = object()


def parse_policy(given: Any, policy: Policy) -> Policy:
    """Return a policy with the keys that are given changed; raise Invalid naming what is wrong."""
    if not isinstance(given, Mapping):
        expected = 'an object such as {"promote": "auto", "learn": "every 50 verdicts"}'
        raise _invalid([Detail("policy", given, expected)])
    details: list[Detail] = []
    changes: dict[str, Any] = {}
    for key, value in given.items():
        if key not in _READERS:
            details.append(_unknown(str(key), value))
            continue
        field, read, expected = _READERS[key]
        changes[field] = read(value)
        if changes[field] is _WRONG:
            details.append(Detail(key, value, expected))
    if details:
        raise _invalid(details)
    return replace(policy, **changes)


def parse_texts(given: Mapping[str, str], policy: Policy) -> Policy:
    """Read a policy from a form or a command line, where every value is a text."""
    texts = {key: value.strip() for key, value in given.items()}
    return parse_policy({key: _untexted(key, text) for key, text in texts.items()}, policy)


def describe(policy: Policy) -> dict[str, Any]:
    """Write a policy as the API shows it."""
    every = policy.learn_every
    return {
        "promote": policy.promote,
        "learn": f"every {every} verdict{_s(every)}" if every else "manual",
        "rollback": policy.rollback,
        "gate": "on" if policy.gate else "off",
        "batch": policy.batch,
        "replay": policy.replay,
        "clip": policy.clip,
        "cap": policy.cap,
        "held_out": policy.held_out,
        "tolerance": policy.tolerance,
        "seed": policy.seed,
    }


def sentences(policy: Policy) -> list[str]:
    """Say a policy to a person, in short lines."""
    return [
        _learning(policy),
        _promoting(policy),
        _returning(policy),
        _stepping(policy),
        _cleaning(policy),
    ]


def _learning(policy: Policy) -> str:
    every = policy.learn_every
    if not every:
        return "It learns when somebody asks."
    return f"It learns by itself after every {every:,} verdict{_s(every)}."


def _promoting(policy: Policy) -> str:
    if not policy.gate:
        return (
            "The gate is off: nothing is compared before a version answers"
            + ("." if policy.promote == "manual" else ", and it is promoted by itself.")
            + " A worse version can replace a better one."
        )
    by = "by itself once the gate passes it" if policy.promote == "auto" else "by hand"
    loss = _percent(policy.tolerance)
    return f"A new version is promoted {by}; the gate lets a loss of up to {loss} pass."


def _returning(policy: Policy) -> str:
    if policy.rollback == "auto":
        return "It rolls back by itself when judges find it worse than the version before."
    return "It is rolled back by hand."


def _stepping(policy: Policy) -> str:
    replay = f"{policy.replay:g} row{_s(policy.replay)} of before mixed in for each new one"
    if not policy.replay:
        replay = "no row of before mixed in"
    steps = "one at a time" if policy.batch == 1 else f"in steps of {policy.batch:,}"
    return f"It takes rows {steps}, {replay} (seed {policy.seed})."


def _cleaning(policy: Policy) -> str:
    clip = f"Rows beyond {policy.clip:g} times the training range are set aside"
    if not policy.clip:
        clip = "Rows are taken however far they lie outside the training range"
    cap = f"one unknown sender makes at most {_percent(policy.cap)} of them"
    if not policy.cap:
        cap = "one unknown sender may make all of them"
    return f"{clip}; {cap}; {_percent(policy.held_out)} of the judges' verdicts only judge."


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _s(count: float) -> str:
    return "" if count == 1 else "s"


def _manual_or_auto(value: Any) -> Any:
    return value if value in ("manual", "auto") else _WRONG


def _switch(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return {"on": True, "off": False}.get(value, _WRONG) if isinstance(value, str) else _WRONG


def _every(value: Any) -> Any:
    if value == "manual":
        return 0
    if isinstance(value, Mapping):
        value = value.get("every") if set(value) == {"every"} else None
    if isinstance(value, str):
        found = EVERY.fullmatch(value.strip())
        value = int(found[1]) if found else None
    return _whole(1, MOST_EVERY)(value)


def _whole(least: int, most: int) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        number = _number(least, most)(value)
        return int(number) if number is not _WRONG and number == int(number) else _WRONG

    return read


def _number(least: float, most: float) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return _WRONG
        return float(value) if least <= value <= most else _WRONG

    return read


def _clip(value: Any) -> Any:
    return 0.0 if not isinstance(value, bool) and value == 0 else _number(1, 1000)(value)


_READERS: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "promote": ("promote", _manual_or_auto, "manual or auto"),
    "learn": (
        "learn_every",
        _every,
        f"manual, or a text such as every 50 verdicts (1 to {MOST_EVERY:,})",
    ),
    "rollback": ("rollback", _manual_or_auto, "manual or auto"),
    "gate": ("gate", _switch, "on or off"),
    "batch": ("batch", _whole(1, MOST_BATCH), f"a whole number from 1 to {MOST_BATCH:,}"),
    "replay": ("replay", _number(0, 10), "a number from 0 to 10"),
    "clip": ("clip", _clip, "0 to take every row, or a number from 1 to 1,000"),
    "cap": ("cap", _number(0, 1), "a share from 0 (no cap) to 1"),
    "held_out": ("held_out", _number(0, 0.9), "a share from 0 to 0.9"),
    "tolerance": ("tolerance", _number(0, 0.5), "a share from 0 to 0.5"),
    "seed": ("seed", _whole(0, LARGEST_SEED), f"a whole number from 0 to {LARGEST_SEED}"),
}
"""Each key of the API: the field, how it is read, and what is expected."""

_WORDS = ("promote", "learn", "rollback", "gate")


def _untexted(key: str, text: str) -> Any:
    if key in _WORDS:
        return text
    try:
        return float(text)
    except ValueError:
        return text


def _unknown(key: str, value: Any) -> Detail:
    near = get_close_matches(key[:200], _READERS, n=1, cutoff=0.0)
    return Detail(shown(key)[1:-1], value, f"no such key; the nearest known one is {near[0]}")


def _invalid(details: list[Detail]) -> Invalid:
    rest = len(details) - 1
    more = f" ({rest} more in details.)" if rest else ""
    return Invalid(details[0].sentence + more, details=details[:20])
