"""What counts as a symptom of a model: read as the API and forms write it, and said to people.

`parse_rules` takes some of the keys and leaves the rest as they were; `describe` writes all of
them, and what it writes can be sent back. The address of a webhook is a secret: it is written
without its path, and that sent back leaves it as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from difflib import get_close_matches
from typing import Any, get_args

from unrot.core import webhooks
from unrot.core.errors import Detail, Invalid, shown
from unrot.core.plurals import counted
from unrot.core.records import Against, FeatureRule, PeriodLength, Rules

MOST_ROWS = 1_000_000
MOST_VERDICTS = 10_000
MOST_NAMED = 5
OF_FEATURE = ("watched", "distance", "missing", "unseen")
IN_FORMS = re.compile(r"features\.(?P<name>.+)\.(?P<key>[a-z]+)", re.DOTALL)
"""How forms and the command line write what is different for one feature."""

_WRONG = object()


def parse_rules(given: Any, rules: Rules, features: Sequence[str]) -> Rules:
    """Return rules with the keys that are given changed; raise Invalid naming what is wrong.

    `features` are those of the model's schema.
    """
    if not isinstance(given, Mapping):
        expected = 'an object such as {"distance": 0.2, "rot": "off"}'
        raise _invalid([Detail("rules", given, expected)])
    details: list[Detail] = []
    changes: dict[str, Any] = {}
    for key, value in given.items():
        if key == "features":
            changes[key] = _features(value, rules.features, features, details)
        elif key == "webhook":
            changes[key] = _webhook(value, rules.webhook, details)
        elif key not in _READERS:
            details.append(_unknown(str(key), value, [*_READERS, "features", "webhook"]))
        else:
            read, expected = _READERS[key]
            changes[key] = _taken(key, value, read, expected, details)
    if details:
        raise _invalid(details)
    return replace(rules, **changes)


def parse_texts(given: Mapping[str, str], rules: Rules, features: Sequence[str]) -> Rules:
    """Read rules from a form or a command line, where every value is a text."""
    plain: dict[str, Any] = {}
    of_features: dict[str, dict[str, Any]] = {}
    for key, value in given.items():
        found = IN_FORMS.fullmatch(key)
        if found:
            of_features.setdefault(found["name"], {})[found["key"]] = _untexted(value)
        else:
            plain[key] = value.strip() if key in _WORDS else _untexted(value)
    if of_features:
        plain["features"] = of_features
    return parse_rules(plain, rules, features)


def describe(rules: Rules) -> dict[str, Any]:
    """Write rules as the API shows them."""
    written = {
        entry.name: _written(getattr(rules, entry.name))
        for entry in fields(Rules)
        if entry.name not in ("features", "webhook")
    }
    return {
        **written,
        "features": {name: describe_feature(rule) for name, rule in rules.features.items()},
        "webhook": webhooks.shown(rules.webhook),
    }


def describe_feature(rule: FeatureRule) -> dict[str, Any]:
    """Write what is different for one feature."""
    said = {key: value for key, value in asdict(rule).items() if value is not None}
    return {"watched": _written(said.pop("is_watched")), **said}


def sentences(rules: Rules) -> list[str]:
    """Say rules to a person, in short lines."""
    return [
        _drift(rules),
        _rot(rules),
        _slices(rules),
        _estimate(rules),
        _outliers(rules),
        _quality(rules),
        *_exceptions(rules),
    ]


def _drift(rules: Rules) -> str:
    if not rules.drift:
        return "Drift is not watched."
    before = "training" if rules.against == "training" else "the period before"
    return (
        f"Drift: {_PERIODS[rules.period]}, at least {rules.least_rows:,}, is compared with "
        f"{before}; a feature has moved from a distance of {rules.distance:g} on."
    )


def _rot(rules: Rules) -> str:
    if not rules.rot:
        return "Rot is not watched."
    floor = rules.least_accuracy
    said = "" if floor is None else f", or when their accuracy is below {_percent(floor)}"
    return (
        f"Rot: found when verdicts fall by more than chance{said}. Accuracy is that of the last "
        f"{counted(rules.last_verdicts, 'verdict')}."
    )


def _slices(rules: Rules) -> str:
    if not rules.slices:
        return "Parts of the traffic are not watched."
    return (
        "Parts: found when verdicts on one part of the traffic fall, and those on the rest do not."
    )


def _estimate(rules: Rules) -> str:
    if not rules.estimate:
        return "Estimated accuracy raises nothing."
    return (
        "Estimated accuracy: found when it is more than "
        f"{_points(rules.estimate_loss)} below that of the holdout."
    )


def _outliers(rules: Rules) -> str:
    if not rules.outliers:
        return "Outliers raise nothing."
    return f"Outliers: found when more than {_percent(rules.outlier_share)} of a period are odd."


def _quality(rules: Rules) -> str:
    if not rules.quality:
        return "Data quality is not watched."
    return (
        f"Data quality: found when surely more is wrong than usual: {_points(rules.missing)} more "
        f"of a feature is missing, {_points(rules.unseen)} more was never seen in training, or "
        f"{_points(rules.rejected)} more of the rows are refused."
    )


def _exceptions(rules: Rules) -> list[str]:
    unwatched = [name for name, rule in rules.features.items() if not rule.is_watched]
    others = len(rules.features) - len(unwatched)
    said = []
    if unwatched:
        more = len(unwatched) - MOST_NAMED
        rest = f" and {more:,} more" if more > 0 else ""
        said.append(f"Not watched: {', '.join(unwatched[:MOST_NAMED])}{rest}.")
    if others:
        have = "feature has its" if others == 1 else "features have their"
        said.append(f"{others:,} {have} own thresholds.")
    return said


_PERIODS: Mapping[PeriodLength, str] = {
    "auto": "the shortest period that has enough rows",
    "rotation": "each rotation that has enough rows",
    "hour": "each hour that has enough rows",
    "day": "each day that has enough rows",
    "week": "each week that has enough rows",
}


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _points(share: float) -> str:
    return f"{100 * share:.4g} points"


def _written(value: Any) -> Any:
    return ("on" if value else "off") if isinstance(value, bool) else value


# ── reading ──────────────────────────────────────────────────────────────────────────────────

Reader = Callable[[Any], Any]


def _taken(key: str, value: Any, read: Reader, expected: str, details: list[Detail]) -> Any:
    found = read(value)
    if found is _WRONG:
        details.append(Detail(key, value, expected))
    return found


def _features(
    given: Any,
    known: Mapping[str, FeatureRule],
    names: Sequence[str],
    details: list[Detail],
) -> dict[str, FeatureRule]:
    """Change the rules of some features; those that are as for all are not kept."""
    if not isinstance(given, Mapping):
        expected = 'an object such as {"age": {"distance": 0.3}}'
        details.append(Detail("features", given, expected))
        return {}
    changed = dict(known)
    for name, value in given.items():
        if name not in names:
            details.append(
                _unknown(f"features.{name}", value, [f"features.{one}" for one in names])
            )
            continue
        rule = changed.pop(name, FeatureRule())
        rule = FeatureRule() if value is None else _feature(name, value, rule, details)
        if rule != FeatureRule():
            changed[name] = rule
    return {name: changed[name] for name in names if name in changed}


def _feature(name: str, given: Any, rule: FeatureRule, details: list[Detail]) -> FeatureRule:
    if not isinstance(given, Mapping):
        expected = 'an object such as {"distance": 0.3, "watched": "off"}, or null'
        details.append(Detail(f"features.{name}", given, expected))
        return rule
    changes: dict[str, Any] = {}
    for key, value in given.items():
        path = f"features.{name}.{key}"
        if key == "watched":
            changes["is_watched"] = _taken(path, value, _switch, "on or off", details)
        elif key in OF_FEATURE:
            read, expected = _READERS[key]
            expected += ", or nothing for what holds for all"
            changes[key] = _taken(path, value, _or_none(read), expected, details)
        else:
            details.append(_unknown(path, value, [f"features.{name}.{one}" for one in OF_FEATURE]))
    return rule if details else replace(rule, **changes)


def _webhook(given: Any, known: str, details: list[Detail]) -> str:
    text = "" if given is None else given
    if isinstance(text, str) and text.strip() in ("", known, webhooks.shown(known)):
        return known if text.strip() else ""
    try:
        if not isinstance(text, str):
            raise ValueError(webhooks.EXPECTED)
        webhooks.read(text.strip())
    except ValueError as error:
        # The address is a secret: it is not repeated.
        details.append(Detail("webhook", "…", f"{error}, or nothing for that of the settings"))
        return ""
    return text.strip()


def _or_none(read: Reader) -> Reader:
    return lambda value: None if value is None else read(value)


def _one_of(words: Sequence[str]) -> Reader:
    return lambda value: value if isinstance(value, str) and value in words else _WRONG


def _switch(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return {"on": True, "off": False}.get(value, _WRONG) if isinstance(value, str) else _WRONG


def _number(least: float, most: float) -> Reader:
    def read(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return _WRONG
        return float(value) if least <= value <= most else _WRONG

    return read


def _whole(least: int, most: int) -> Reader:
    def read(value: Any) -> Any:
        number = _number(least, most)(value)
        return int(number) if number is not _WRONG and number == int(number) else _WRONG

    return read


_SWITCH = (_switch, "on or off")
_SHARE = (_number(0, 1), "a share from 0 to 1")

_READERS: dict[str, tuple[Reader, str]] = {
    "period": (_one_of(get_args(PeriodLength)), "one of " + ", ".join(get_args(PeriodLength))),
    "least_rows": (_whole(1, MOST_ROWS), f"a whole number from 1 to {MOST_ROWS:,}"),
    "against": (_one_of(get_args(Against)), "training or previous"),
    "drift": _SWITCH,
    "distance": (_number(0, 1), "a distance from 0 to 1"),
    "chance": (_number(0, 1), "a chance from 0 to 1"),
    "rot": _SWITCH,
    "last_verdicts": (_whole(1, MOST_VERDICTS), f"a whole number from 1 to {MOST_VERDICTS:,}"),
    "least_accuracy": (_or_none(_number(0, 1)), "a share from 0 to 1, or nothing for no floor"),
    "slices": _SWITCH,
    "outliers": _SWITCH,
    "outlier_share": _SHARE,
    "quality": _SWITCH,
    "missing": _SHARE,
    "unseen": _SHARE,
    "rejected": _SHARE,
    "estimate": _SWITCH,
    "estimate_loss": _SHARE,
}
"""Each key of the API: how it is read, and what is expected."""

_WORDS = (
    "period",
    "against",
    "drift",
    "rot",
    "slices",
    "outliers",
    "quality",
    "estimate",
    "webhook",
)


def _untexted(text: str) -> Any:
    """Read a text of a form: a number, nothing, or the text itself."""
    text = text.strip()
    if text in ("", "none"):
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _unknown(key: str, value: Any, known: Sequence[str]) -> Detail:
    near = get_close_matches(key[:200], known, n=1, cutoff=0.0)
    said = f"no such key; the nearest known one is {near[0]}" if near else "no such key"
    return Detail(shown(key)[1:-1], value, said)


def _invalid(details: list[Detail]) -> Invalid:
    rest = len(details) - 1
    more = f" ({rest} more in details.)" if rest else ""
    return Invalid(details[0].sentence + more, details=details[:20])
