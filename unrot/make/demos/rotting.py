"""The story of the demo: a model rots, is found out, is refitted, and recovers.

    holds → mutants come → falls → is found → refit → gate → promoted → recovers → is closed

`story` reads from top to bottom as it happens. It looks at the model through the API only, as the
person who watches the pages does, and asks for what an operator would ask for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from unrot.core.errors import Unavailable
from unrot.core.percent import roughly
from unrot.core.plurals import counted
from unrot.make.demos.online import Online
from unrot.make.demos.traffic import Traffic

LOOK_SECONDS = 0.5
LAST_VERDICTS = 50
HOLDS, FALLEN, RECOVERED = 0.85, 0.55, 0.85
"""A neural network is right on 92 % of zombies, on 39 % of mutants, and after the refit on 95 %; a
tree, which is refitted in no time, on 90, 47 and 92 %."""

FOUND = frozenset({"drift", "rot"})
PERIOD_GRACE = 10.0
"""About so long after its end a period of traffic has been compared."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the story is told."""

    estimator: str
    rows_a_second: float
    calm_seconds: float
    """So long nothing happens, at least."""
    is_by_the_clock: bool
    """The zombies mutate on the full minute: charts count by minutes, and show the fall as one."""
    mutants: int
    """So many mutants have been judged before the refit: it learns from them."""
    rotation_seconds: int
    """The length of a profile, and so of what drift is seen in."""
    patience_seconds: float
    """What has not happened by then will not."""


CALM = Pace(
    estimator="mlp",
    rows_a_second=40,
    calm_seconds=15,
    is_by_the_clock=True,
    mutants=300,
    rotation_seconds=10,
    patience_seconds=120,
)
FAST = Pace(
    estimator="tree",
    rows_a_second=150,
    calm_seconds=3,
    is_by_the_clock=False,
    mutants=200,
    rotation_seconds=2,
    patience_seconds=60,
)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often the model was right lately, as its API says."""

    share: float
    verdicts: int

    def __str__(self) -> str:
        return f"right on {roughly(self.share)} of the last {counted(self.verdicts, 'verdict')}"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where the story plays."""

    town: Online
    traffic: Traffic
    pace: Pace
    token_file: str
    """Where the operator's token stands, for whoever does by hand what the demo does."""
    pause: Callable[[float], None]
    """Sleep; raise when there is nothing to go on with."""
    show: Callable[[float, str], None]
    """Show how far it is, 0 to 1, while nothing is said."""


def story(scene: Scene) -> Iterator[str]:
    """Yield what is to be said, as it happens; raise Unavailable when something does not."""
    yield from _calm(scene)
    yield from _rot(scene)
    yield from _cure(scene)
    yield from _recovery(scene)


def _calm(scene: Scene) -> Iterator[str]:
    page, seconds = scene.town.page, _calm_seconds(scene.pace)
    yield (
        f"{scene.pace.rows_a_second:g} zombies a second walk by. The model says which are hostile, "
        "and a judge tells the truth about every second one. They will mutate in "
        f"{seconds:.0f} seconds."
    )
    ends_at = time.monotonic() + seconds
    found = _until(
        scene,
        f"{roughly(HOLDS)} right",
        lambda: _at(scene, lambda now: now.share >= HOLDS and time.monotonic() >= ends_at),
        usually=seconds,
    )
    calm = "" if _open(scene) else " Nothing is found."
    yield f"Accuracy holds: {found}.{calm} Its monitor:\n{page}/monitor"


def _calm_seconds(pace: Pace) -> float:
    if not pace.is_by_the_clock:
        return pace.calm_seconds
    return pace.calm_seconds + 60 - (time.time() + pace.calm_seconds) % 60


def _rot(scene: Scene) -> Iterator[str]:
    page = scene.town.page
    scene.traffic.mutate()
    yield (
        "Now the zombies mutate: they look different, and the old signs of a hostile one are "
        f"wrong. Watch the accuracy, and the drift of each feature:\n{page}/monitor"
    )
    fallen = _until(scene, "fall", lambda: _at(scene, lambda now: now.share <= FALLEN), usually=5)
    yield f"Accuracy falls: {fallen}."
    told: set[str] = set()
    while left := FOUND - told:
        found = _until(
            scene,
            f"finding of {' and '.join(sorted(left))}",
            partial(_first_open, scene, left),
            usually=scene.pace.rotation_seconds + PERIOD_GRACE,
        )
        told.add(found["kind"])
        yield f"Found, {found['kind']}: {found['sentence']}"
    yield f"Each finding says since when, how grave it is, and what to do:\n{page}/findings"


def _cure(scene: Scene) -> Iterator[str]:
    town, needed = scene.town, scene.pace.mutants
    _until(
        scene,
        "judged mutant",
        lambda: scene.traffic.judged_mutants >= needed or None,
        usually=2 * needed / scene.pace.rows_a_second,
    )
    yield (
        f"Judges have told the truth about {scene.traffic.judged_mutants} mutants: time for a "
        "refit. The demo asks for it as an operator would, on the page Versions or with\n"
        + _curl(scene, "refit")
    )
    job = town.post(f"{town.api}/refit", {})["job"]
    ended = _until(scene, "version", lambda: _ended(town, job["id"]), usually=8)
    if ended["state"] != "done":
        raise Unavailable(f"The refit failed: {ended['error']}")
    version = ended["result"]["version"]
    yield f"{version} is fitted. {ended['result']['chosen']}"
    yield f"The gate says {ended['result']['gate']}: {ended['result']['sentence']}"
    town.post(f"{town.api}/promote", {"version": version})
    yield (
        f"{version} is promoted, and every worker answers with it from now on. By hand:\n"
        + _curl(scene, "promote", f'{{"version": "{version}"}}')
    )


def _recovery(scene: Scene) -> Iterator[str]:
    page = f"{scene.town.page}/monitor"
    found = _until(
        scene, "recovery", lambda: _at(scene, lambda now: now.share >= RECOVERED), usually=10
    )
    yield f"Accuracy recovers: {found}, on the same mutants."
    _until(
        scene,
        "end of the findings",
        lambda: not _open(scene, FOUND) or None,
        usually=2 * scene.pace.rotation_seconds + PERIOD_GRACE,
    )
    yield (
        "Drift and rot are closed: the model is healthy again. What is counted by whole minutes, "
        f"such as odd rows, is calm a minute or two later. All of it is on one page:\n{page}"
    )


# ── looking ──────────────────────────────────────────────────────────────────────────────────


def _until(scene: Scene, what: str, look: Callable[[], T | None], *, usually: float) -> T:
    """Look until something is there to be seen; a server that is slow is asked again."""
    began_at, trouble = time.monotonic(), ""
    while (waited := time.monotonic() - began_at) < usually + scene.pace.patience_seconds:
        try:
            if (found := look()) is not None:
                return found
            scene.show(min(waited / usually, 1.0), _meanwhile(scene))
        except Unavailable as error:
            trouble = error.message
        scene.pause(LOOK_SECONDS)
    trouble = trouble or scene.traffic.trouble
    raise Unavailable(
        f"The {what} did not come within {waited:.0f} seconds."
        + (f" {trouble}" if trouble else " Is this machine busy with something else?")
    )


def _meanwhile(scene: Scene) -> str:
    now = _accuracy(scene.town)
    return "waiting for the first verdicts" if now is None else str(now)


def _at(scene: Scene, is_there: Callable[[Accuracy], bool]) -> Accuracy | None:
    now = _accuracy(scene.town)
    return now if now is not None and is_there(now) else None


def _accuracy(town: Online) -> Accuracy | None:
    newest = town.get(f"{town.api}/accuracy?last={LAST_VERDICTS}")["rolling"]["newest"]
    if newest is None or newest["accuracy"]["verdicts"] < LAST_VERDICTS:
        return None
    return Accuracy(newest["accuracy"]["value"], LAST_VERDICTS)


def _open(scene: Scene, kinds: Set[str] = frozenset()) -> list[dict[str, Any]]:
    """Return the open findings of some kinds, or all of them."""
    found = scene.town.get(f"{scene.town.api}/findings?state=open")["findings"]
    return [one for one in found if not kinds or one["kind"] in kinds]


def _first_open(scene: Scene, kinds: Set[str]) -> dict[str, Any] | None:
    return next(iter(_open(scene, kinds)), None)


def _ended(town: Online, id: str) -> dict[str, Any] | None:
    job = town.get(f"/api/v1/jobs/{id}")["job"]
    return None if job["state"] in ("queued", "running") else dict(job)


def _curl(scene: Scene, route: str, body: str = "") -> str:
    lines = [
        f"curl -X POST {scene.town.url}{scene.town.api}/{route} \\",
        f'  -H "Authorization: Bearer $(cat {scene.token_file})"',
    ]
    if body:
        lines[-1] += " \\"
        lines.append(f"  -H 'Content-Type: application/json' -d '{body}'")
    return "\n".join(lines)
