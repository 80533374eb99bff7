"""Progressive validation over HTTP: predict, hear the truth, learn it, as scikit-learn does.

The first rows of what tests/learn/test_progressive.py goes through in one process.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

import unrot
from tests.conftest import OPERATOR, Server
from tests.learn.test_progressive import phishing, untaught
from tests.live_server import Town
from unrot.core.settings import Settings

COUNT = 10
ROW_BY_ROW = {
    **{"promote": "auto", "gate": "off", "batch": 1},
    **{"replay": 0, "clip": 0, "cap": 0, "held_out": 0},
}


def test_first_verdicts_are_learnt_over_http_as_scikit_learn_learns_them(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    names, rows, labels = phishing()
    unrot.add(
        "phishing",
        untaught(rows, labels),
        dict(zip(names, np.array(rows[:200]).T.tolist(), strict=True)),
        labels[:200],
        settings=Settings(home=tmp_path / "home"),
    )
    town = Town(serve(tmp_path / "home").url, "phishing")
    town.told("/policy", ROW_BY_ROW, method="PUT")
    by_hand = untaught(rows, labels)

    for number, (row, label) in enumerate(zip(rows[:COUNT], labels[:COUNT], strict=True), 1):
        [made] = town.predicted([dict(zip(names, row, strict=True))])
        assert (made["version"], made["class"]) == (f"v{number}", by_hand.predict([row])[0])
        assert town.judged([made], [label], token=OPERATOR) == {"created": 1}
        assert town.done("learn")["version"] == f"v{number + 1}"
        by_hand.partial_fit([row], [label])

    last = town.version(f"v{COUNT + 1}")
    assert last["fates"]["learnt"] == {f"v{number}": 1 for number in range(2, COUNT + 2)}
