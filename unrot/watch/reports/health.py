"""Whether a model is well, in one sentence, and why: what its page says before any chart.

The gravest open finding comes first. Without one the verdicts on the champion's own answers speak,
then what its own confidence makes one expect. What is said is what these show (`signs.py`): a model
that nobody asks or judges is neither well nor ill, nor is one that a single visitor has judged.

    >>> signs = Signs("v1", predictions=900, right=47, judged=50, expected=0.93)
    >>> health(signs).headline
    'This model is healthy.'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

from unrot.core.numbers import rough
from unrot.core.percent import roughly
from unrot.core.plurals import counted, plural
from unrot.core.records import FINDING_KINDS, GRAVEST_FIRST, Finding
from unrot.core.time import DAY, short_time
from unrot.hear.judges import Whose, told_by
from unrot.watch.reports.signs import FEWEST_TO_BE_WELL, FEWEST_VERDICTS, Others, Signs

State = Literal["well", "look", "ill", "unknown"]

STATE_WORDS: Mapping[State, str] = {
    "well": "Healthy",
    "look": "Needs a look",
    "ill": "In trouble",
    "unknown": "Not known yet",
}
"""How a model is, in a word or three."""
OF_CROWD = "Some who chose what to judge say that this model is wrong; no judge confirms it yet."


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a model is well."""

    state: State
    headline: str
    reasons: tuple[str, ...]


def health(signs: Signs) -> Health:
    """Say whether a model is well, and why."""
    if signs.is_store_away:
        return Health(
            "unknown",
            "Nobody can say how this model is: the store does not answer.",
            ("Predictions are answered all the same. This page fills by itself when it is back.",),
        )
    if not signs.has_champion:
        return Health(
            "ill",
            "This model cannot be asked: it has no champion.",
            ("Promote one of its versions.",),
        )
    if signs.findings:
        return _found(signs)
    if signs.predictions == 0 and not signs.judged:
        found = _unasked(signs)
    else:
        found = Health(*_without_findings(signs), tuple(_known(signs)))
    return replace(found, headline=found.headline + snoozed_words(signs.snoozed))


def snoozed_words(count: int) -> str:
    """Say how many findings are open and snoozed, behind what is said without them.

    >>> snoozed_words(0), snoozed_words(2)
    ('', ' 2 findings are snoozed.')
    """
    return f" {counted(count, 'finding is', 'findings are')} snoozed." if count else ""


# ── findings ─────────────────────────────────────────────────────────────────────────────────


def gravest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings, of two that are as grave the one first that says more about the answers."""
    kinds = list(FINDING_KINDS)
    return sorted(
        findings, key=lambda one: (GRAVEST_FIRST.index(one.gravity), kinds.index(one.kind))
    )


def part_snoozed(findings: Iterable[Finding], now: float) -> tuple[list[Finding], list[Finding]]:
    """Part what asks for somebody from what is snoozed."""
    parted: tuple[list[Finding], list[Finding]] = [], []
    for one in findings:
        parted[one.is_snoozed(now)].append(one)
    return parted


def _state_beside(worst: Finding) -> State:
    """Return how a model is of which this was found: what few chose to judge is not certain."""
    return "ill" if worst.gravity == "grave" and not _is_of_crowd(worst) else "look"


def _is_of_crowd(found: Finding) -> bool:
    """Tell whether rot rests on the word of people who are no judges and chose what to judge."""
    by = told_by(found.evidence)
    if by is None or by.is_of_judges:
        return False
    return 2 * by.verdicts < int(found.evidence.get("predicted", 0))


def _found(signs: Signs) -> Health:
    worst, *others = gravest_first(signs.findings)
    state = _state_beside(worst)
    headline = FINDING_KINDS[worst.kind].headline
    if worst.kind == "rot":
        state, headline = _rotting(signs, worst, state, headline)
    if {one.kind for one in signs.findings} == {"drift"}:
        headline += " " + _beside_drift(signs.since_drift or signs)
    also = ", ".join(dict.fromkeys(FINDING_KINDS[one.kind].called for one in others))
    more = [f"Also found: {also}."] if also else []
    more += [snoozed_words(signs.snoozed).strip()] if signs.snoozed else []
    return Health(state, headline, (worst.sentence, *more, *_known(signs)))


def _rotting(signs: Signs, rot: Finding, state: State, headline: str) -> tuple[State, str]:
    """Say whose word rot is, and that it is of an earlier version where nothing tells of this."""
    by = told_by(rot.evidence)
    if by.is_one_voice if by is not None else signs.is_one_voice:
        return "look", _one_visitor(by or signs.whose)
    if rot.gravity == "note":
        return "look", "Some say that this model is wrong more often; nobody confirms it yet."
    if signs.has_followed(rot):
        if not signs.is_judged:
            return "look", f"This model was rotting; too few verdicts on {signs.version} yet."
        return "look", f"This model was rotting; verdicts on {signs.version} show nothing of it."
    if signs.is_of_crowd or _is_of_crowd(rot):
        return "look", OF_CROWD
    return state, headline


def _one_visitor(whose: Whose | None) -> str:
    voice = whose.voice if whose else "one visitor"
    return f"{voice.capitalize()} says that this model is wrong; nobody confirms it yet."


def _one_voice(signs: Signs) -> str:
    """Say how many of the verdicts one visitor gave."""
    most = signs.whose.largest if signs.whose else signs.judged
    all_of_them = counted(signs.judged, "verdict")
    many = f"All {all_of_them}" if most >= signs.judged else f"{most:,} of {all_of_them}"
    return f"{many} on {signs.version or 'it'} are from one anonymous visitor"


def _beside_drift(signs: Signs) -> str:
    if not signs.is_judged:
        return "Nobody can say yet whether its answers suffer: there are too few verdicts."
    if signs.is_one_voice or signs.is_of_crowd or signs.leaning:
        who = "one visitor alone has judged" if signs.is_one_voice else "few were judged, by choice"
        return f"Nobody can say yet whether its answers suffer: {who}."
    if signs.is_worse:
        seem = "are" if signs.is_surely_worse else "seem"
        than = "farther off" if signs.is_of_numbers else "less right"
        return f"Its answers {seem} {than} than when it was made."
    return f"{signs.judged:,} verdicts show no {_unseen(signs)}"


def _unseen(signs: Signs) -> str:
    """Say what the verdicts would have shown: that they show nothing is no proof of nothing."""
    if signs.is_of_numbers:
        if not signs.expected_error:
            return "more: nobody measured how far off it was when it was made."
        times = ceil(10 * signs.rise_that_would_show) / 10
        return f"larger errors; errors {times:.1f} times as large would have shown."
    if signs.expected is None:
        return "more: nobody measured how right it was when it was made."
    points = max(1, ceil(100 * signs.fall_that_would_show))
    return f"fall; one of {counted(points, 'point')} or more would have shown."


# ── no finding ───────────────────────────────────────────────────────────────────────────────


def _unasked(signs: Signs) -> Health:
    if signs.last_predicted:
        said = f"Nobody has asked this model in {signs.period}."
        last = f"The last prediction was made {signs.last_predicted}."
        return Health("unknown", said, (last, *_test_set(signs)))
    return Health(
        "unknown",
        "Nobody has asked this model yet.",
        ("Make a prediction on its page or over the API: it shows up here within seconds.",),
    )


def _without_findings(signs: Signs) -> tuple[State, str]:
    of = f" on {signs.version}" if signs.version else ""
    if not signs.is_judged:
        doubt = "to say whether this model is right; nothing else looks wrong"
        return "unknown", f"Too few verdicts{of} yet {doubt}."
    if signs.is_one_voice:
        if signs.is_worse or signs.is_mostly_wrong:
            return "look", _one_visitor(signs.whose)
        return "unknown", f"{_one_voice(signs)}; nothing{_else(signs)} looks wrong."
    if signs.is_of_crowd and (signs.is_worse or signs.is_mostly_wrong):
        return "look", OF_CROWD
    if not signs.is_of_crowd and (said := _surely(signs)):
        return "look", said
    if signs.is_worse:
        how = "farther off" if signs.is_of_numbers else "less right"
        return "look", f"This model seems {how} than when it was made; it may be chance."
    if signs.is_mostly_wrong:
        return "look", f"This model is wrong more often than right: {_share(signs)}."
    if signs.new is not None and signs.new < min(FEWEST_VERDICTS, signs.judged):
        since = f"Too few verdicts{of} yet since it is champion again"
        return "unknown", f"{since}; nothing{_else(signs)} looks wrong."
    if signs.is_enough and signs.is_old:
        given = f"No answer that {signs.version or 'it'} gave in the last {_silence(signs)}"
        return "unknown", f"{given} was judged; nothing{_else(signs)} looks wrong."
    if signs.is_enough:
        apart = "Apart from what is snoozed this" if signs.snoozed else "This"
        return "well", f"{apart} model is healthy."
    if signs.judged >= FEWEST_TO_BE_WELL and not signs.is_many:
        like = counted(max(1, round(signs.judged / signs.worth)), "independent one")
        told = f"The last {signs.judged:,} verdicts{of} say as much as {like}"
        return "unknown", f"{told}: too few to say whether this model is right."
    return "unknown", f"Nothing{_else(signs)} looks wrong with this model so far."


def _else(signs: Signs) -> str:
    return " else" if signs.snoozed else ""


def _surely(signs: Signs) -> str:
    """Say what is certain, however often one looks; empty where nothing is."""
    if signs.is_below_guess:
        return "This model is right less often than a constant guess."
    if signs.is_surely_worse and signs.is_of_numbers:
        off = rough(signs.error or 0.0)
        return f"This model is farther off than when it was made: by {off} on average."
    if signs.is_surely_worse:
        return f"This model is less right than when it was made: {_share(signs)}."
    if signs.rival is not None and signs.is_below_rival:
        return f"This model is less right than {signs.rival.versions} was: {_share(signs)}."
    return ""


# ── what is known ────────────────────────────────────────────────────────────────────────────


def _known(signs: Signs) -> list[str]:
    told = _error(signs) if signs.is_of_numbers else _accuracy(signs)
    if signs.is_old:
        told.append(f"The newest of these answers is {_silence(signs)} old.")
    return [*told, *_earlier(signs), *_others(signs), *_estimate(signs), *_traffic(signs)]


def _accuracy(signs: Signs) -> list[str]:
    if not signs.judged:
        return _test_set(signs)
    if not signs.is_judged:
        of = f" on {signs.version}" if signs.version else ""
        told = f"{signs.right:,} of {counted(signs.judged, 'verdict')}"
        are = plural(signs.right if signs.judged > 1 else 1, "is", "are")
        said = f"{told}{of} so far {are} right"
        return [f"{said}{_by(signs)}.", *_test_set(signs)]
    beside = ""
    if signs.expected is not None and signs.leaning is None:
        rows = f" of {counted(signs.expected_rows, 'test row')}" if signs.expected_rows else ""
        beside = f"; {roughly(signs.expected)}{rows} when it was made"
    return [*_chosen(signs), f"{_share(signs)}{_by(signs)}{beside}."]


def _silence(signs: Signs) -> str:
    return counted(int(signs.silent_for // DAY), "day")


def _share(signs: Signs) -> str:
    value = roughly(signs.right / max(signs.judged, 1))
    if signs.version:
        return f"{value} of the last {signs.judged:,} verdicts on {signs.version} are right"
    return f"{value} of its last {signs.judged:,} verdicts are right"


def _error(signs: Signs) -> list[str]:
    if signs.error is None or not signs.judged:
        return _test_set(signs)
    of = f" on {signs.version}" if signs.version else ""
    last = f"the last {signs.judged:,} verdicts" if signs.judged > 1 else "the only verdict"
    told = f"In {last}{of}{_by(signs)}"
    said = f"{told} it was off by {rough(signs.error or 0.0)}"
    rows = f" over {counted(signs.expected_rows, 'test row')}" if signs.expected_rows else ""
    beside = f"; by {rough(signs.expected_error or 0.0)}{rows} when it was made"
    is_beside = signs.expected_error and signs.leaning is None
    return [*_chosen(signs), f"{said} on average{beside if is_beside else ''}."]


def _test_set(signs: Signs) -> list[str]:
    """Say what is known of a version that nobody has judged."""
    rows = f"{counted(signs.expected_rows, 'row')} of its" if signs.expected_rows else "the"
    who = signs.version or "it"
    if signs.expected_error is not None:
        return [f"On {rows} test set {who} was off by {rough(signs.expected_error)} on average."]
    if signs.expected is not None:
        return [f"On {rows} test set {who} was right {roughly(signs.expected)} of the time."]
    return ["Nobody measured it on rows that it had not learnt from."] if signs.version else []


def _chosen(signs: Signs) -> list[str]:
    """Say first how few were judged, and that these are no sample."""
    if not signs.is_chosen:
        return []
    whose = "most of them by judges, who chose which."
    if signs.whose is not None and signs.whose.trusted == signs.whose.verdicts:
        whose = "by judges, who chose which."
    if signs.is_of_crowd:
        whose = "by people who chose which: they may see more faults than there are."
    few, all_of_them = f"{signs.judged_then:,}", f"{signs.predicted_then:,}"
    told = [f"Only {few} of {all_of_them} predictions of that time were judged, {whose}"]
    return [*told, signs.leaning.sentence] if signs.leaning else told


def _by(signs: Signs) -> str:
    return f" ({signs.whose.words})" if signs.whose is not None and signs.whose.verdicts else ""


def _earlier(signs: Signs) -> list[str]:
    """Say which verdicts are on what it answered when it was champion before."""
    old = 0 if signs.new is None else signs.judged - signs.new
    if not old:
        return []
    many = "All" if not signs.new else f"{old:,}"
    are = "is" if old == 1 and signs.new else "are"
    return [f"{many} of them {are} on what it answered before it became champion again."]


def _others(signs: Signs) -> list[str]:
    told = []
    if signs.line is not None and not signs.is_judged:
        told.append(
            f"Its line ({signs.line.versions}): {_of_others(signs.line)}, its own included."
        )
    if signs.rival is not None and (not signs.is_judged or signs.is_below_rival):
        until = short_time(signs.reigns_since)
        told.append(f"{signs.rival.versions} before it, until {until}: {_of_others(signs.rival)}.")
    if signs.imported is not None and not signs.is_judged:
        told.append(f"The log that was imported, of other answers: {_of_others(signs.imported)}.")
    return told


def _of_others(others: Others) -> str:
    last = f"its last {counted(others.judged, 'verdict')}"
    if others.error is not None:
        return f"off by {rough(others.error)} on average in {last}"
    right = roughly(others.right / max(others.judged, 1))
    return f"{right} of {last} {plural(others.judged, 'is', 'are')} right"


def _estimate(signs: Signs) -> list[str]:
    if signs.estimated is None:
        return []
    return [f"By its own confidence it is right {roughly(signs.estimated)} of the time."]


def _traffic(signs: Signs) -> list[str]:
    if not signs.predictions:
        return [f"Nobody has asked it in {signs.period}."]
    return [f"{counted(signs.predictions, 'prediction')} in {signs.period}."]
