"""Progressive validation: predict, hear the truth, learn it, row by row, as scikit-learn does.

The rows are river's Phishing data; 56 of 100 are honest, so that guessing is right as often.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import river.datasets
from sklearn.linear_model import SGDClassifier

import unrot
from tests.conftest import noon
from tests.learning_model import School
from unrot.core.policy import Policy
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service

ROW_BY_ROW = Policy(promote="auto", gate=False, batch=1, replay=0, clip=0, cap=0, held_out=0)


def phishing() -> tuple[list[str], list[list[float]], list[str]]:
    """Return the names, rows and labels of the data inside river's wheel."""
    path = Path(river.datasets.__file__).parent / "phishing.csv.gz"
    with gzip.open(path, "rt") as file:
        read = list(csv.DictReader(file))
    names = [name for name in read[0] if name != "is_phishing"]
    rows = [[float(row[name]) for name in names] for row in read]
    return names, rows, ["phishing" if row["is_phishing"] == "1" else "honest" for row in read]


def untaught(rows: Any, labels: list[str]) -> SGDClassifier:
    """Return an estimator that has seen one row of each class."""
    first = [labels.index("honest"), labels.index("phishing")]
    model = SGDClassifier(loss="log_loss", random_state=1)
    model.partial_fit(
        np.array([rows[place] for place in first]),
        [labels[place] for place in first],
        classes=["honest", "phishing"],
    )
    return model


COUNT = 50
"""All 1,250 rows say the same and take a minute."""
GUESSING = 0.56


def test_every_verdict_is_learnt_as_scikit_learn_learns_it(tmp_path: Path) -> None:
    names, rows, labels = phishing()
    settings = Settings(home=tmp_path)
    unrot.add(
        "phishing",
        untaught(rows, labels),
        dict(zip(names, np.array(rows[:200]).T.tolist(), strict=True)),
        labels[:200],
        settings=settings,
    )
    school = School(replace(open_service(settings), clock=noon), "phishing")
    school.service.store.registry.set_policy("phishing", ROW_BY_ROW)
    by_hand = untaught(rows, labels)
    right = 0

    for row, label in zip(rows[:COUNT], labels[:COUNT], strict=True):
        [made] = school.predicted([dict(zip(names, row, strict=True))])
        assert made.label == by_hand.predict(np.array([row]))[0]
        right += made.label == label
        school.judged([made], [label])
        school.done("learn")
        by_hand.partial_fit(np.array([row]), [label])

    school.service.store.close()
    assert right / COUNT > GUESSING
