"""Models of which all answers are reviewed or some alone: alarms, or the highest prices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.clock import Clock
from unrot.core.dataset import Dataset
from unrot.core.records import Caller, Feature, Finding, Model, Prediction, Schema
from unrot.core.settings import Settings
from unrot.make.publishing import publish
from unrot.make.train import train
from unrot.run.bootstrap import open_service
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service
from unrot.watch.monitors.sure.look import read_course
from unrot.watch.monitors.sure.rule import Course
from unrot.watch.reports.fleet import Glance, fleet
from unrot.watch.reports.health import Health
from unrot.watch.reports.overview import Span, condition
from unrot.watch.round import Lookout

JUDGE = Caller("judge", "ada", "here")
MINUTE, DAY = 60.0, 86_400.0


class Alarms:
    """One answer in fifteen is yes, and about three of four of these are right."""

    target, classes, estimator = "alarm", ("no", "yes"), "logistic"

    def __init__(self, service: Service, clock: Clock) -> None:
        self.service, self.clock = service, clock
        self.chance = np.random.default_rng(5)
        rows = self._drawn(3_000)
        truth = self._truth(rows)
        features = tuple(Feature(name, "number", low=-5.0, high=5.0) for name in "ab")
        schema = Schema(features, self.target, self.classes)
        learnt, held = slice(0, 1_500), slice(1_500, None)
        made = train(
            Dataset(
                "alarms", "Alarms", "", schema, rows[learnt], truth[learnt], rows[held], truth[held]
            ),
            self.estimator,
            lambda *_: None,
        )
        publish(service, Model("alarms", 0, "Alarms", "", schema, clock.now), made)
        self.caretaker, self.lookout = Caretaker(service, "tests"), Lookout(service)

    def is_reviewed(self, made: Prediction) -> bool:
        """Tell whether somebody looks at an answer where not all are looked at."""
        return made.label == "yes"

    def say(self, made: Prediction, truth: Any) -> dict[str, Any]:
        """Say what is true of an answer."""
        return {"id": made.id, "label": truth}

    def go_by(self, count: int, *, alone: bool, spoilt: bool = False, by: Caller = JUDGE) -> None:
        """Let rows come by, ten in ten minutes; judge all, or only what was answered yes.

        Where all are judged by somebody else, a judge looks at what was answered yes.
        """
        for _ in range(count // 250):
            given = []
            for _ in range(25):
                self.clock.now += 10 * MINUTE
                rows = self._drawn(10)
                inputs = [dict(zip("ab", row, strict=True)) for row in rows.tolist()]
                made = self.service.predict("alarms", inputs).predictions
                told = zip(made, self._truth(rows, spoilt=spoilt).tolist(), strict=True)
                given += [(one, self.say(one, truth)) for one, truth in told]
            self.caretaker._go_round_at_home()
            reviewed = [verdict for one, verdict in given if self.is_reviewed(one)]
            if not alone:
                self.service.judge_many([verdict for _, verdict in given], by)
            if alone or by is not JUDGE:
                self.service.judge_many(reviewed, JUDGE)
            self.caretaker._go_round_at_home()
            self.lookout.look_at_all()

    def found(self) -> list[Finding]:
        return self.service.store.findings.of_model("alarms", limit=20)

    def course(self) -> Course:
        """Return how far sets have followed verdicts."""
        model = self.service.catalogue().model("alarms").model.key
        return read_course(self.service.store.findings, model)

    def health(self) -> Health:
        now = self.clock.now
        span = Span(now - DAY, now + MINUTE, 900, "the last 24 hours")
        return condition(self.service, "alarms", span).health

    def glance(self) -> Glance:
        models = self.service.catalogue().models.values()
        return next(iter(fleet(self.service, models, shows_findings=True)))

    def _drawn(self, count: int) -> Any:
        return self.chance.normal(size=(count, 2)).round(3)

    def _truth(self, rows: Any, *, spoilt: bool = False) -> Any:
        score = 2 * rows[:, 0] + rows[:, 1] - 3.4 + self.chance.logistic(size=len(rows)) * 0.6
        is_alarm = (score > 0) & (self.chance.random(len(rows)) >= 0.8 * spoilt)
        return np.where(is_alarm, "yes", "no")


class Prices(Alarms):
    """The higher a price, the farther off it is; one in six is reviewed where not all are."""

    target, classes, estimator = "price", (), "ridge"

    def is_reviewed(self, made: Prediction) -> bool:
        """Look at high prices alone."""
        return made.value is not None and made.value > 14.0

    def _truth(self, rows: Any, *, spoilt: bool = False) -> Any:
        price = 10 + 3 * rows[:, 0] + 2 * rows[:, 1]
        noise = self.chance.normal(size=len(rows)) * np.exp((price - 10) / 4)
        return (price + noise * (1 + 2 * spoilt)).round(2)


class Moods(Alarms):
    """One of three moods; whoever judges says whether it was right, and not what would be."""

    target, classes = "mood", ("calm", "glad", "low")

    def say(self, made: Prediction, truth: Any) -> dict[str, Any]:
        """Say whether an answer is right."""
        return {"id": made.id, "was_correct": made.label == truth}

    def _truth(self, rows: Any, *, spoilt: bool = False) -> Any:
        score = 2 * rows[:, 0] + rows[:, 1] + self.chance.logistic(size=len(rows)) * 0.3
        up, down = ("low", "glad") if spoilt else ("glad", "low")
        return np.where(score > 1, up, np.where(score < -1, down, "calm"))


class LabelledMoods(Moods):
    """The same, of whom it is said what is right."""

    def say(self, made: Prediction, truth: Any) -> dict[str, Any]:
        """Say what is true of an answer."""
        return {"id": made.id, "label": truth}


@contextmanager
def opened(folder: Path, clock: Clock, kind: type[Alarms] = Alarms) -> Iterator[Alarms]:
    """Open a home that has this model alone."""
    settings = Settings(home=folder, rotation_seconds=3_600)
    service = replace(open_service(settings), clock=lambda: clock.now)
    yield kind(service, clock)
    service.store.close()
