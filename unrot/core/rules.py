"""What counts as a symptom of a model: a table of options, and how it is said to people.

The address of a webhook is a secret: it is written without its path, and that sent back leaves
it as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from unrot.core import mailboxes, webhooks
from unrot.core.errors import Detail
from unrot.core.options import (
    Json,
    Kind,
    Table,
    Wrong,
    choice,
    maybe,
    number,
    option,
    switch,
    unknown,
    whole,
)
from unrot.core.percent import percent
from unrot.core.plurals import counted
from unrot.core.records import Against, PeriodLength
from unrot.core.signals import MEANINGS, RULES_EXPECTED, Meaning, read_meanings

MOST_NAMED = 5
IN_FORMS = re.compile(r"features\.(?P<name>.+)\.(?P<key>[a-z]+)", re.DOTALL)
"""How forms and the command line write what is different for one feature."""

of_drift = partial(option, group="Drift: inputs and answers move")
of_rot = partial(option, group="Rot: answers go wrong")
of_outliers = partial(option, group="Outliers: odd rows")
of_quality = partial(option, group="Data quality: broken rows")
of_reasons = partial(option, group="Reasons: what answers lean on")
of_sure = partial(option, group="How sure: what else may be true")
WATCHED = switch("watched", "not watched")
SHARE, DISTANCE = number(0, 1, "a share"), number(0, 1, "a distance")
AS_FOR_ALL = "what holds for all"


# ── one feature ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class FeatureRule:
    """What is different for one feature; None is as for all."""

    is_watched: bool = option(switch(), True, key="watched", label="Watched")
    distance: float | None = option(maybe(DISTANCE, AS_FOR_ALL), None, label="Distance")
    missing: float | None = option(maybe(SHARE, AS_FOR_ALL), None, label="Missing")
    unseen: float | None = option(maybe(SHARE, AS_FOR_ALL), None, label="Never seen")


FEATURE = Table(
    FeatureRule, "feature", 'an object such as {"distance": 0.3, "watched": "off"}, or null'
)
AS_ALL = FeatureRule()


def _features(names: Sequence[str], now: Mapping[str, FeatureRule]) -> Kind:
    """Return the kind of what is different for some of the features of a model."""

    def read(given: Any) -> dict[str, FeatureRule]:
        if not isinstance(given, Mapping):
            raise ValueError
        return _changed(given, names, now)

    one = {
        "type": "object",
        "properties": FEATURE.schema(),
        "additionalProperties": False,
        "nullable": True,
    }
    return Kind(
        read=read,
        write=lambda rules: {name: _write_feature(rule) for name, rule in rules.items()},
        expected='an object such as {"age": {"distance": 0.3}}',
        schema={"type": "object", "additionalProperties": one},
    )


def _changed(
    given: Mapping[str, Any], names: Sequence[str], now: Mapping[str, FeatureRule]
) -> dict[str, FeatureRule]:
    """Change the rules of some features; those that are as for all are not kept."""
    changed, details = dict(now), list[Detail]()
    for name, value in given.items():
        try:
            changed[name] = _read_feature(name, value, names, now)
        except Wrong as error:
            details += error.details
    if details:
        raise Wrong(details)
    return {name: rule for name in names if (rule := changed.get(name, AS_ALL)) != AS_ALL}


def _read_feature(
    name: str, given: Any, names: Sequence[str], now: Mapping[str, FeatureRule]
) -> FeatureRule:
    if name not in names:
        raise Wrong([unknown(f"features.{name}", given, [f"features.{one}" for one in names])])
    if given is None:
        return AS_ALL
    return FEATURE.read(given, now.get(name, AS_ALL), f"features.{name}.")


def _write_feature(rule: FeatureRule) -> Json:
    return {key: value for key, value in FEATURE.write(rule).items() if value is not None}


# ── where findings are sent ──────────────────────────────────────────────────────────────────


def _webhook(now: str) -> Kind:
    """Return the kind of an address; what is shown of the one that holds stands for it."""

    def read(given: Any) -> str:
        text = given.strip() if isinstance(given, str) else given
        if text in ("", None):
            return ""
        if text in (now, webhooks.shown(now)):
            return now
        try:
            webhooks.read(text if isinstance(text, str) else "")
        except ValueError as error:
            raise ValueError(f"{error}, or nothing for that of the settings") from error
        return str(text)

    return Kind(
        read=read,
        write=webhooks.shown,
        expected="an address, or nothing for that of the settings",
        schema={
            "type": "string",
            "nullable": True,
            "description": "Shown without what is secret of it; that sent back changes nothing.",
        },
        is_secret=True,
    )


def _read_mail(given: Any) -> str:
    """Read addresses, one text or a list of them."""
    text = " ".join(map(str, given)) if isinstance(given, list) else given
    if text is None or (isinstance(text, str) and not text.strip()):
        return ""
    if not isinstance(text, str):
        raise ValueError
    return mailboxes.read(text).shown


MAIL = Kind(
    read=_read_mail,
    expected=f"{mailboxes.EXPECTED}, or nothing",
    schema={"type": "string", "nullable": True},
)


SIGNALS = Kind(
    read=read_meanings,
    write=dict,
    expected=RULES_EXPECTED,
    schema={"type": "object", "additionalProperties": {"type": "string", "enum": [*MEANINGS]}},
)


# ── all rules ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What counts as a symptom of one model."""

    drift: bool = of_drift(WATCHED, True, "Drift", "Whether it raises findings.")
    against: Against = of_drift(
        choice(training="training", previous="the period before"),
        "training",
        "Compared with",
        "Training, or the period before: then a slow move is not seen.",
    )
    period: PeriodLength = of_drift(
        choice(
            auto="the shortest possible",
            rotation="a rotation",
            hour="an hour",
            day="a day",
            week="a week",
        ),
        "auto",
        "Period",
        "What is compared at once.",
    )
    least_rows: int = of_drift(
        whole(1, 1_000_000), 100, "Rows at least", "With fewer a period says nothing."
    )
    distance: float = of_drift(
        DISTANCE,
        0.15,
        "Distance",
        "From 0, the same, to 1, nothing in common. From here on a feature has moved.",
    )
    chance: float = of_drift(
        number(0, 1, "a chance"),
        0.001,
        "Chance",
        "So unlikely it must be where nothing moved: 0.001 is once in a thousand.",
    )
    rot: bool = of_rot(WATCHED, True, "Rot", "Whether it raises findings.")
    last_verdicts: int = of_rot(
        whole(1, 10_000), 50, "Verdicts", "Accuracy is that of so many, the newest."
    )
    least_accuracy: float | None = of_rot(
        maybe(SHARE, "no floor"),
        None,
        "Accuracy at least",
        "A floor of your own, 0 to 1; empty is none.",
    )
    slices: bool = of_rot(WATCHED, True, "Parts", "Whether a part that falls alone is a finding.")
    estimate: bool = of_rot(WATCHED, True, "Estimated accuracy", "Whether it raises findings.")
    estimate_loss: float = of_rot(
        SHARE,
        0.1,
        "Loss at most",
        "So far below the test set it may be estimated: 0.1 is 10 points.",
    )
    outliers: bool = of_outliers(WATCHED, True, "Outliers", "Whether they raise findings.")
    outlier_share: float = of_outliers(
        SHARE, 0.05, "Share", "A finding when more of a period is odd: 0.05 is 5 %."
    )
    quality: bool = of_quality(WATCHED, True, "Data quality", "Whether it raises findings.")
    missing: float = of_quality(
        SHARE, 0.005, "Missing", "So much more than usual: 0.05 is 5 points."
    )
    unseen: float = of_quality(
        SHARE, 0.005, "Never seen", "So much more than usual: new choices, numbers out of range."
    )
    rejected: float = of_quality(SHARE, 0.005, "Refused", "So much more of the rows than usual.")
    reasons: bool = of_reasons(
        WATCHED, True, "Reasons", "Whether a finding tells that features have changed places."
    )
    reason_share: float = of_reasons(
        SHARE,
        0.1,
        "Counts from",
        "So much of all that moves answers a feature must have, in training or now.",
    )
    coverage: bool = of_sure(WATCHED, True, "Coverage", "Whether it raises findings.")
    coverage_loss: float = of_sure(
        SHARE,
        0.05,
        "Missed more",
        "So many more truths than the test set promised may be missed: 0.05 is 5 points.",
    )
    abstentions: bool = of_sure(
        WATCHED, True, "Not sure", 'Whether more answers of "not sure" raise a finding.'
    )
    unsure_rise: float = of_sure(
        SHARE, 0.1, "Not sure more often", "So much more than usual: 0.1 is 10 points."
    )
    signals: Mapping[str, Meaning] = option(
        SIGNALS,
        dict,
        "What signals mean",
        "Names with commas between, each with wrong, right or counted: abandoned: wrong, copied: "
        "right. All others are only counted. They stand apart and change no accuracy.",
        group="Signals: what was seen to happen",
    )
    features: Mapping[str, FeatureRule] = option(
        _features((), {}),
        dict,
        help="What is different for one feature: `watched`, `distance`, `missing`, `unseen`; null "
        "takes it away.",
        group="Feature by feature",
    )
    webhook: str = option(
        _webhook(""),
        "",
        "Webhook of this model",
        "https://…, or slack+https://… for a chat that takes Slack's shape. Empty: that of "
        "the settings. The end of an address is a secret and not shown.",
        group="Where findings are sent",
    )
    mail: str = option(
        MAIL,
        "",
        "E-mail",
        f"Up to {mailboxes.MOST_ADDRESSES} addresses with commas between, beside the webhook.",
        group="Where findings are sent",
    )

    def distance_of(self, column: str) -> float:
        """Return the distance from which on a column has moved: its own, or that of all."""
        own = self.features.get(column)
        return self.distance if own is None or own.distance is None else own.distance


SUCH_AS = 'an object such as {"distance": 0.2, "rot": "off"}'
RULES = Table(Rules, "rules", SUCH_AS)
describe = RULES.write


def parse_rules(given: Any, rules: Rules, features: Sequence[str]) -> Rules:
    """Return rules with the keys that are given changed; raise Invalid naming what is wrong.

    `features` are those of the model's schema.
    """
    kinds = {"features": _features(features, rules.features), "webhook": _webhook(rules.webhook)}
    return Table(Rules, "rules", SUCH_AS, **kinds).parse(given, rules)


def parse_texts(given: Mapping[str, str], rules: Rules, features: Sequence[str]) -> Rules:
    """Read rules from a form or a command line, where every value is a text."""
    plain: Json = {}
    of_features: dict[str, Json] = {}
    for key, text in given.items():
        found = IN_FORMS.fullmatch(key)
        if found:
            of_feature = of_features.setdefault(found["name"], {})
            of_feature[found["key"]] = FEATURE.from_text(found["key"], text)
        else:
            plain[key] = RULES.from_text(key, text)
    if of_features:
        plain["features"] = of_features
    return parse_rules(plain, rules, features)


# ── said ─────────────────────────────────────────────────────────────────────────────────────


def sentences(rules: Rules) -> list[str]:
    """Say rules to a person, in short lines."""
    return [
        _drift(rules),
        _rot(rules),
        _slices(rules),
        _estimate(rules),
        _outliers(rules),
        _quality(rules),
        _reasons(rules),
        _sure(rules),
        *_signals(rules),
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
    said = "" if floor is None else f", or when their accuracy is below {percent(floor, 4)}"
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
        f"{_points(rules.estimate_loss)} below that on the test set."
    )


def _outliers(rules: Rules) -> str:
    if not rules.outliers:
        return "Outliers raise nothing."
    return f"Outliers: found when more than {percent(rules.outlier_share, 4)} of a period are odd."


def _quality(rules: Rules) -> str:
    if not rules.quality:
        return "Data quality is not watched."
    return (
        f"Data quality: found when surely more is wrong than usual: {_points(rules.missing)} more "
        f"of a feature is missing, {_points(rules.unseen)} more was never seen in training, or "
        f"{_points(rules.rejected)} more of the rows are refused."
    )


def _reasons(rules: Rules) -> str:
    if not rules.reasons:
        return "Reasons raise nothing."
    return (
        f"Reasons: found when features that have {percent(rules.reason_share, 4)} of all that "
        "moves answers have surely changed places since training."
    )


def _signals(rules: Rules) -> list[str]:
    means = [f"{name} {MEANINGS[meaning]}" for name, meaning in rules.signals.items()]
    said = f"Signals: {', '.join(means)}; all others only counted. They change no accuracy."
    return [said] if means else []


def _sure(rules: Rules) -> str:
    missed = f"{_points(rules.coverage_loss)} more truths than promised are surely missed"
    often = f"it is surely not sure {_points(rules.unsure_rise)} more often than usual"
    found = [*[missed] * rules.coverage, *[often] * rules.abstentions]
    return f"How sure: found when {', or '.join(found)}." if found else "How sure raises nothing."


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


def _points(share: float) -> str:
    return f"{100 * share:.4g} points"
