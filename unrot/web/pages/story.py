"""What a page says of a model to somebody who was sent the link: plain sentences, no jargon."""

from __future__ import annotations

from unrot.core.plurals import counted
from unrot.core.records import Model, Schema, Tally, Version
from unrot.core.test_sets import MeasuredOn
from unrot.watch.reports.signs import FEWEST_VERDICTS, Signs
from unrot.web.wording import number, percent, rough

DEMOS = ("iris", "zombies", "heart")


def purpose(schema: Schema) -> str:
    """Say what is predicted from what."""
    count = len(schema.features)
    values = "one value" if count == 1 else counted(count, "value")
    answer = f"one of {len(schema.classes)} answers" if schema.is_classifier else "a number"
    return f"It predicts “{schema.target}”, {answer}, from {values}."


def quality(version: Version) -> str:
    """Say how good a version was on rows that it had not learnt from, beside mere guessing."""
    metrics = version.metrics
    rows = f"On {counted(metrics.get('rows_held_out', 0.0), 'row')} that it had not learnt from"
    if "accuracy" in metrics:
        right, guess = metrics["accuracy"], metrics.get("constant_guess")
        said = f"{rows} it was right {percent(right)} of the time."
        if guess is None:
            return said
        beside = f"{said} Always giving the commonest answer would be right {percent(guess)}"
        return f"{beside}." if right > guess else f"{beside}, so it is no better than that."
    if "mae" in metrics:
        off, guess = metrics["mae"], metrics.get("constant_guess_mae")
        said = f"{rows} it was off by {_far(off)} on average."
        if guess is None:
            return said
        beside = f"{said} Always giving the same number would be off by {number(guess)}"
        return f"{beside}." if off < guess else f"{beside}, so it is no better than that."
    return (
        "Nobody has measured it on rows that it had not learnt from, so there is nothing trusted "
        "to judge it by: take its answers with care."
    )


def usual_error(version: Version, on: MeasuredOn | None) -> str:
    """Say how far off the numbers of a version usually are; nothing where it was not measured."""
    if "mae" not in version.metrics:
        return ""
    of = f", on {on.sentence}" if on is not None else ""
    return f"Usually off by about {rough(version.metrics['mae'])}{of}."


def judged(tally: Tally, schema: Schema, version: str) -> str:
    """Say what those who judged it thought of the last answers of a version."""
    count, right, off = _last(tally, schema)
    if not count:
        return f"No verdict tells yet how good the answers of {version} are."
    if count < FEWEST_VERDICTS:
        few = counted(count, "answer")
        return f"People have judged {few} of {version} so far: too few to say how good it is."
    if right is not None:
        told = f"found the last {percent(right)} right ({counted(count, 'verdict')})"
        return f"Those who judged answers of {version} {told}."
    values = counted(count, "true value")
    return f"The last answers of {version} were off by {_far(off)} on average ({values})."


def lately(tally: Tally, schema: Schema, version: str) -> tuple[str, str] | None:
    """Return how right a version was lately, or how far off, and of how many verdicts that is.

    Few verdicts make no figure, and none make nothing.
    """
    count, right, off = _last(tally, schema)
    if not count:
        return None
    of = f"{counted(count, 'verdict' if schema.is_classifier else 'true value')} on {version}"
    if count < FEWEST_VERDICTS:
        return "–", f"{of} so far"
    return (f"{_far(off)}", f"over {of}") if right is None else (percent(right), f"of {of}")


def last_verdicts(signs: Signs, schema: Schema) -> str:
    """Say in a few words what the last verdicts come to; few are too few."""
    if not signs.judged:
        return "none yet"
    if signs.judged < FEWEST_VERDICTS:
        return f"{signs.judged} so far: too few to say"
    if schema.is_classifier:
        return f"{percent(signs.right / signs.judged)} right of {counted(signs.judged, 'verdict')}"
    return f"off by {_far(signs.error)} over {counted(signs.judged, 'true value')}"


def _far(off: float | None) -> str:
    return number(off) if off is None else rough(off)


def _last(tally: Tally, schema: Schema) -> tuple[int, float | None, float | None]:
    """Return how many verdicts there are, and how right they say that it is, or how far off."""
    if schema.is_classifier:
        return tally.last_accuracy_verdicts, tally.last_accuracy, None
    return tally.last_error_verdicts, None, tally.last_error


def next_version(model: Model, latest: Version | None) -> str:
    """Return the command that makes another version."""
    if latest is not None and latest.origin == "added":
        added = f"python -m unrot add {model.name} package.module:load"
        return f"{added} --data FILE --target {_quoted(model.schema.target)}"
    if model.name in DEMOS:
        return f"python -m unrot train {model.name}"
    target = _quoted(model.schema.target)
    return f"python -m unrot train --csv FILE --target {target} --name {model.name}"


def _quoted(word: str) -> str:
    return word if word.isidentifier() else f'"{word}"'
