"""How the champion of a model stands: what verdicts on its own answers say, and whose they are.

Everything is counted from what one version answered, whenever that was, and never from a
neighbour's. What its line or the champion before it reached is read beside it, and kept apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

from unrot.core import lineage
from unrot.core.records import CHAMPION, IMPORTED, AliasMove, ModelKey, Outcome, Version
from unrot.hear.judges import whose
from unrot.serve.service import Service
from unrot.serve.shelf import ShelvedModel
from unrot.watch.reports.accuracy import Rolling
from unrot.watch.reports.signs import FEWEST_VERDICTS, Others, Signs
from unrot.watch.statistics.accuracy import (
    beside_guess,
    constant_of,
    errors_of,
    right_of,
    scored,
    scores_of,
)
from unrot.watch.worth.leaning import Leaning, leaning_of
from unrot.watch.worth.measures import autocorrelation_time
from unrot.watch.worth.verdicts import worth_of_last

MOST_SINCE = 2_000
"""Verdicts since a finding that are looked at: with more a smaller fall would show."""


def signs_of(service: Service, shelved: ShelvedModel, rolled: Rolling) -> Signs:
    """Return what the last verdicts on a version say, beside what was measured at its making."""
    model, version = shelved.model, shelved.versions.get(rolled.version)
    signs = replace(
        promised(version),
        version=rolled.version,
        has_champion=shelved.aliases.get(CHAMPION) in shelved.versions,
        classes=max(len(model.schema.classes), 2),
    )
    signs = _judged(service, model.key, signs, rolled.own, rolled.worth)
    if rolled.version != shelved.aliases.get(CHAMPION):
        return signs
    return _reigning(service, model.key, signs, rolled)


def since_findings(service: Service, model: ModelKey, signs: Signs) -> Signs:
    """Add what verdicts say of the answers since the inputs moved, where a finding says so."""
    moved = [one.since for one in signs.findings if one.kind == "drift"]
    if not moved:
        return signs
    own = service.store.traffic.outcomes(
        model, limit=MOST_SINCE, versions=(signs.version,), with_inputs=True
    )
    since = [one for one in own if one.predicted_at >= min(moved)]
    return replace(
        signs, since_drift=_judged(service, model, signs, since, worth_of_last(since, MOST_SINCE))
    )


def silence(own: Sequence[Outcome], until: float) -> float:
    """Return how long before a moment the newest answer was given that was judged."""
    newest = max((one.predicted_at for one in own), default=until)
    return max(0.0, until - newest)


def promised(version: Version | None) -> Signs:
    """Return what was measured of a version when it was made."""
    metrics = version.metrics if version else {}
    mae = metrics.get("mae")
    squared = metrics.get("rmse", 0.0) ** 2
    return Signs(
        expected=metrics.get("accuracy"),
        expected_rows=int(metrics.get("rows_held_out", 0)),
        expected_error=mae,
        expected_spread=sqrt(max(squared - mae * mae, 0.0)) if mae is not None else 0.0,
    )


def _judged(
    service: Service,
    model: ModelKey,
    signs: Signs,
    own: Sequence[Outcome],
    worth: float,
) -> Signs:
    """Add what some verdicts on the answers of its version say, and what they are worth."""
    own = _telling(own)
    right, errors = right_of(own), scored(errors_of(own))
    is_of_numbers = signs.expected_error is not None or errors.count > 0
    guess_alone, right_alone = beside_guess(own)
    judged, predicted = _of_that_time(service, model, signs.version, own)
    few = 2 * judged < predicted
    is_drawn = few and _is_drawn(service, model, own)
    return replace(
        signs,
        right=right.right,
        judged=errors.count if is_of_numbers else right.count,
        worth=worth,
        runs=autocorrelation_time(scores_of(own)),
        whose=whose(own),
        judged_then=judged,
        predicted_then=predicted,
        is_drawn=is_drawn,
        leaning=_leaning(service, model, own) if few and not is_drawn else None,
        constant=constant_of(own).value,
        guess_alone=guess_alone,
        right_alone=right_alone,
        error=errors.mae,
        spread=sqrt(max((errors.rmse or 0.0) ** 2 - (errors.mae or 0.0) ** 2, 0.0)) or None,
        since_drift=None,
    )


def _telling(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return those that say right or wrong, or how far off; a thumb on a number says neither."""
    return [one for one in outcomes if one.was_correct is not None or one.error is not None]


def _of_that_time(
    service: Service, model: ModelKey, version: str, own: Sequence[Outcome]
) -> tuple[int, int]:
    if not own:
        return 0, 0
    times = [one.predicted_at for one in own]
    return service.store.traffic.judged_of_predicted(
        model, since=min(times), until=max(times), version=version
    )


def _leaning(service: Service, model: ModelKey, own: Sequence[Outcome]) -> Leaning | None:
    times = [one.predicted_at for one in own]
    return leaning_of(service.store, model, min(times), max(times))


def _is_drawn(service: Service, model: ModelKey, own: Sequence[Outcome]) -> bool:
    audited = service.store.trials.audited(model)
    return 2 * sum(one.prediction in audited for one in own) >= len(own)


def _reigning(service: Service, model: ModelKey, signs: Signs, rolled: Rolling) -> Signs:
    """Add since when a champion answers, and what its line and the one before it reached."""
    moves = [one for one in service.store.registry.moves(model) if one.alias == CHAMPION]
    reigns_since = since_when(moves)
    was_before = any(one.moved_to == signs.version for one in moves[:-1])
    new = sum(one.predicted_at >= reigns_since for one in _telling(rolled.own))
    rival, line = _rival(moves), _line(service, model, signs.version)
    is_few = signs.judged < FEWEST_VERDICTS
    return replace(
        signs,
        reigns_since=reigns_since,
        new=min(new, signs.judged) if was_before else None,
        rival=_others(service, model, [rival], rolled.last) if rival else None,
        line=_others(service, model, line, rolled.last) if is_few and len(line) > 1 else None,
        imported=_others(service, model, [IMPORTED], rolled.last) if is_few else None,
    )


def since_when(moves: Sequence[AliasMove]) -> float:
    """Return since when the champion answers, by its moves; 0 of the first one of all."""
    champions = [one for one in moves if one.alias == CHAMPION]
    return champions[-1].moved_at if len(champions) > 1 else 0.0


def _rival(moves: Sequence[AliasMove]) -> str | None:
    return moves[-1].moved_from if moves else None


def _line(service: Service, model: ModelKey, version: str) -> list[str]:
    versions = service.store.registry.versions(model)
    return lineage.learning_line(versions, version)[::-1]


def _others(service: Service, model: ModelKey, versions: Sequence[str], last: int) -> Others | None:
    told = service.store.traffic.outcomes(model, limit=last, versions=versions)
    right, errors = right_of(told), scored(errors_of(told))
    if not right.count and not errors.count:
        return None
    called = versions[0] if len(versions) == 1 else f"{versions[0]}–{versions[-1]}"
    return Others(called, right.right, right.count or errors.count, errors.mae)
