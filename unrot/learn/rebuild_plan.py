"""The same version again without some verdicts: from where to start, and what to learn from there.

The start is the nearest ancestor whose own parameters carry none of the verdicts that are left out
or corrected; with none left out it is the parent. From there the lessons are taken as they were,
without those verdicts: their places leave the batches, replayed rows stay, and what has become
empty goes. A `refit` or a `reset` begins anew, so what stands before it needs no telling.

    >>> from unrot.core.records import Example, Lesson
    >>> def taught(*names):
    ...     examples = [Example(name, [], "yes", 1.0, True, "", 0.0, 0.0) for name in names]
    ...     return Lesson("learn", 0, examples, batches=(tuple(range(len(names))),))
    >>> line = [VersionLessons("v1"), VersionLessons("v2", [taught("a")]),
    ...         VersionLessons("v3", [taught("b", "c")])]
    >>> plan = plan_rebuild(line, without={"b"})
    >>> plan.start, [one.prediction for one in plan.lessons[0].examples], plan.lessons[0].batches
    ('v2', ['c'], ((0,),))
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from unrot.core.errors import Conflict
from unrot.core.records import Example, Lesson

BEGIN_ANEW = ("refit", "reset")


@dataclass(frozen=True, slots=True)
class VersionLessons:
    """A version of a line with its lessons, in order, counted from its parent."""

    version: str
    lessons: Sequence[Lesson] = ()
    has_files: bool = True
    """False when retention has let its files go: nothing can start from it."""


@dataclass(frozen=True, slots=True)
class Rebuild:
    """What a rebuild does: open `start`, and take its copy through the lessons."""

    version: str
    start: str
    lessons: Sequence[Lesson]
    left_out: Sequence[str]
    """The verdicts that the version had learnt and that are left out now."""
    corrected: Sequence[str] = ()
    """The verdicts that are learnt with another label now."""


def plan_rebuild(
    line: Sequence[VersionLessons],
    *,
    without: Collection[str] = (),
    corrected: Mapping[str, Example] | None = None,
) -> Rebuild:
    """Plan to make the last version of a line, oldest first, again; raise Conflict if it cannot."""
    corrected = corrected or {}
    version = line[-1].version
    if not line[-1].lessons:
        raise Conflict(f"{version} learnt no verdicts: train it again instead.")
    changed = set(without) | set(corrected)
    start = _start(line, changed)
    lessons = _from_last_beginning([one for taught in line[start + 1 :] for one in taught.lessons])
    learnt = {one.prediction for lesson in lessons for one in lesson.examples}
    kept = [_without(lesson, without, corrected) for lesson in lessons]
    return Rebuild(
        version=version,
        start=line[start].version,
        lessons=tuple(lesson for lesson in kept if not _is_empty(lesson)),
        left_out=tuple(sorted(learnt & set(without))),
        corrected=tuple(sorted(learnt & set(corrected) - set(without))),
    )


def known_to(lessons: Sequence[Lesson]) -> set[str]:
    """Return the verdicts that parameters carry after these lessons."""
    known: set[str] = set()
    for lesson in lessons:
        if lesson.kind in BEGIN_ANEW:
            known = set()
        known |= {one.prediction for one in lesson.examples}
    return known


def _start(line: Sequence[VersionLessons], changed: set[str]) -> int:
    for place in reversed(range(len(line) - 1)):
        before = [lesson for taught in line[: place + 1] for lesson in taught.lessons]
        if line[place].has_files and not known_to(before) & changed:
            return place
    raise Conflict(
        f"{line[-1].version} cannot be made again: no version before it that is still kept was "
        "made without these verdicts."
    )


def _from_last_beginning(lessons: list[Lesson]) -> list[Lesson]:
    begins = [place for place, lesson in enumerate(lessons) if lesson.kind in BEGIN_ANEW]
    return lessons[begins[-1] :] if begins else lessons


def _without(lesson: Lesson, without: Collection[str], corrected: Mapping[str, Example]) -> Lesson:
    """Return a lesson without some verdicts; the same one where it has none of them."""
    names = [one.prediction for one in lesson.examples]
    if not any(name in without or name in corrected for name in names):
        return lesson
    kept = [place for place, name in enumerate(names) if name not in without]
    moved = {place: number for number, place in enumerate(kept)}
    batches = [
        tuple(moved.get(place, place) for place in batch if place < 0 or place in moved)
        for batch in lesson.batches
    ]
    return replace(
        lesson,
        examples=tuple(corrected.get(names[place], lesson.examples[place]) for place in kept),
        batches=tuple(batch for batch in batches if batch),
    )


def _is_empty(lesson: Lesson) -> bool:
    """Tell whether nothing is left of a lesson of verdicts."""
    return lesson.kind == "learn" and not lesson.examples
