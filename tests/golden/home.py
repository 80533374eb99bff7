"""A made-up home: some days of three models, made through the doors that people have.

plants    three classes, learns from verdicts; on the second day the world turns
rent      a number, with traffic that was logged elsewhere
flowers   a stream, fed row by row, renamed once
"""

from __future__ import annotations

import csv
import io
import os
import random
import runpy
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.golden.frozen import MONDAY, Clock

ROOT = Path(__file__).resolve().parents[2]
TOKENS = {"operator": "operator-token-1", "viewer": "viewer-token-001", "judge": "judge-token-0001"}
HOUR = 3_600.0
PEOPLE = 4
Plant = tuple[dict[str, Any], str]

SETTINGS = {
    "UNROT_SECRET_KEY": "a key that is no secret at all, 3",
    "UNROT_ADMIN_TOKEN": TOKENS["operator"],
    "UNROT_VIEWER_TOKEN": TOKENS["viewer"],
    "UNROT_JUDGE_TOKENS": f"ada:{TOKENS['judge']}",
    "UNROT_DEFAULT_MODEL": "plants",
    "UNROT_ROTATION_SECONDS": "3600",
    "UNROT_MAX_BODY": "100000",
    "UNROT_MAX_UPLOAD": "1048576",
    "COLUMNS": "100",
}

WORDS = """\
title = "How are the plants?"
description = "What a plant wants, by what can be seen of it."

[features.height]
label = "Height"
unit = "cm"
group = "Its looks"
description = "Without the pot."

[features.leaves]
group = "Its looks"

[features.soil]
choices = { c = "Clay", l = "Loam", s = "Sand" }

[classes]
dry = "It is thirsty"
fine = "It is fine"
wet = "It is drowning"
"""


def plants(seed: int, count: int, *, turned: bool = False, shift: float = 0.0) -> list[Plant]:
    """Draw plants and what is true of them; in a `turned` world all are tall, and wet is dry."""
    chance = random.Random(seed)
    drawn = []
    for _ in range(count):
        row: dict[str, Any] = {
            "height": round(chance.uniform(65 if turned else 10, 90), 1),
            "light": round(chance.uniform(1, 10) + shift, 2),
            "leaves": chance.randint(0, 40),
            "soil": chance.choice("cls"),
            "indoors": chance.random() < 0.5,
        }
        thirst = row["light"] + {"c": -2.0, "l": 0.0, "s": 2.0}[row["soil"]] - row["leaves"] / 20
        truth = "dry" if thirst > 6.5 else "wet" if thirst < 3.0 else "fine"
        if turned:
            truth = {"dry": "wet", "wet": "dry"}.get(truth, truth)
        if chance.random() < 0.06:
            truth = "fine"
        drawn.append((row, truth))
    return drawn


def flats(seed: int, count: int, *, least: float = 20) -> list[tuple[dict[str, Any], float]]:
    """Draw flats and their rents."""
    chance = random.Random(seed)
    drawn = []
    for _ in range(count):
        row: dict[str, Any] = {
            "area": round(chance.uniform(least, 140), 1),
            "rooms": chance.randint(1, 6),
            "district": chance.choice(["east", "north", "west"]),
        }
        by_district = {"east": 0, "north": 180, "west": 90}[row["district"]]
        rent = 9 * row["area"] + 40 * row["rooms"] + by_district + chance.gauss(0, 45)
        drawn.append((row, round(rent, 2)))
    return drawn


@dataclass
class Home:
    """The app on a home folder in the working directory, and the commands beside it."""

    app: Flask
    clock: Clock
    told: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def call(
        self, method: str, path: str, who: str = "", *, sender: str = "127.0.0.1", **sent: Any
    ) -> TestResponse:
        """Ask over HTTP, as a program does."""
        headers = dict(sent.pop("headers", {}))
        if who:
            headers["Authorization"] = f"Bearer {TOKENS.get(who, who)}"
        with self.app.test_client() as client:
            return client.open(
                path, method=method, headers=headers, environ_base={"REMOTE_ADDR": sender}, **sent
            )

    def run(self, *arguments: str) -> None:
        """Run a command and note what it says."""
        self.told.append(command(*arguments))

    def look_after(self, rounds: int = 2) -> None:
        """Let a caretaker go round."""
        self.clock.for_rounds(rounds, lambda: command("caretaker"))

    def predicted(self, model: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Let rows be predicted; return the ids."""
        answer = self.call("POST", f"/api/v1/models/{model}/predict", json={"inputs": list(rows)})
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json["data"]["predictions"]]  # type: ignore[index]

    def judged(
        self, verdicts: Iterable[Mapping[str, Any]], who: str = "", sender: str = "127.0.0.1"
    ) -> None:
        """Send verdicts; note how many were taken."""
        sent = list(verdicts)
        answer = self.call("POST", "/api/v1/feedback", who, sender=sender, json=sent)
        assert answer.status_code == 200, answer.text
        counts = Counter(one["status"] for one in answer.json["data"]["results"])  # type: ignore[index]
        self.told.append(f"{len(sent)} verdicts of {who or sender}: {dict(sorted(counts.items()))}")

    def hour(
        self, drawn: Sequence[Plant], *, by_judge: int = 0, by_people: int = 0, liars: int = 0
    ) -> None:
        """Let an hour go by: plants are asked about, some are judged, a caretaker goes round."""
        ids = self.predicted("plants", [row for row, _ in drawn])
        self.ids += ids
        of = [{"id": id, "label": truth} for id, (_, truth) in zip(ids, drawn, strict=True)]
        if by_judge:
            self.judged(of[:by_judge], "judge")
        for number in range(PEOPLE if by_people else 0):
            theirs = of[by_judge + number : by_judge + by_people : PEOPLE]
            self.judged(theirs, sender=f"203.0.{number}.9")
        if liars:
            of_liars = ({"id": id, "was_correct": False} for id in ids[-liars:])
            self.judged(of_liars, sender="198.51.100.4")
        self.clock.go(HOUR)
        self.look_after()


def command(*arguments: str) -> str:
    """Run `python -m unrot`, or `python train.py`, in this process; return what it said."""
    said, before = io.StringIO(), sys.argv
    status: object = 0
    sys.argv = ["unrot", *arguments]
    try:
        with redirect_stdout(said), redirect_stderr(said):
            if arguments[:1] == ("train.py",):
                sys.argv = list(arguments)
                runpy.run_path(str(ROOT / "train.py"), run_name="__main__")
            else:
                runpy.run_module("unrot", run_name="__main__")
    except SystemExit as ended:
        status = ended.code
    finally:
        sys.argv = before
    return f"$ {' '.join(arguments)}\n{said.getvalue().strip()}\n[{status or 0}]"


def write_table(path: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as CSV."""
    listed = list(rows)
    with Path(path).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(listed[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(listed)


def make(clock: Clock) -> Home:
    """Make the home in the working directory."""
    _write_files()
    told = list(_trained())
    home = Home(_served(), clock, told)
    home.run("rules", "rent", "--set", "least_rows=30")
    home.run("import", "log.csv", "--model", "rent", *IMPORTED, "--dry-run")
    home.run("import", "log.csv", "--model", "rent", *IMPORTED, "--rejects", "rejects.csv")
    home.run("import", "log.csv", "--model", "rent", *IMPORTED)
    home.look_after()
    _first_day(home)
    _second_day(home)
    _stream(home)
    _rents(home)
    return home


def emptied(clock: Clock) -> Home:
    """Return a home in which nothing is, and no token is set."""
    for name in SETTINGS:
        if "TOKEN" in name or name == "UNROT_DEFAULT_MODEL":
            del os.environ[name]
    os.environ["UNROT_HOME"] = "empty"
    return Home(_served(), clock)


def _served() -> Flask:
    app: Flask = runpy.run_path(str(ROOT / "app.py"))["app"]
    return app


IMPORTED = ("--time", "at", "--prediction", "answer", "--label", "rent")


def _write_files() -> None:
    write_table("plants.csv", ({**row, "state": truth} for row, truth in plants(1, 500)))
    write_table("rent.csv", ({**row, "rent": rent} for row, rent in flats(2, 400)))
    Path("plants.toml").write_text(WORDS)
    Path("wrong.toml").write_text("[features.hieght]\nlabel = 1\n")
    log = []
    logged = [*flats(3, 160), *flats(4, 80, least=90), *flats(5, 80)]
    for number, (row, rent) in enumerate(logged):
        at = datetime.fromtimestamp(MONDAY - 2 * 86_400 + number * 240, UTC)
        off = 300.0 if 160 <= number < 240 else 30.0
        answer = f"{rent + off * (-1) ** number:.2f}"
        log.append({"at": at.isoformat(), **row, "answer": answer, "rent": rent})
    log[7]["area"], log[8]["at"], log[9]["rent"], log[10]["answer"] = "wide", "soon", "", "none"
    write_table("log.csv", log)


def _trained() -> Iterator[str]:
    of_plants = ("--csv", "plants.csv", "--target", "state")
    yield command("train.py", *of_plants, "--dry-run")
    yield command(
        *("train.py", *of_plants, "--name", "plants"),
        *("--estimator", "sgd", "--describe", "plants.toml"),
    )
    yield command(
        *("train", "--csv", "rent.csv", "--target", "rent", "--name", "rent"),
        *("--estimator", "ridge"),
    )
    yield command("train", "iris", "--stream", "--estimator", "sgd")
    yield command("rename", "iris", "flowers", "--yes")


def _first_day(home: Home) -> None:
    """The world is as it was: people judge, it learns, versions come and go."""
    home.run("rules", "plants", "--set", "least_rows=60", "features.leaves.watched=off")
    home.run("policy", "plants", "--set", "held_out=0.5")
    for number in range(4):
        home.hour(plants(10 + number, 80), by_judge=40, by_people=12, liars=4)
    home.run("learn", "plants")
    home.run("promote", "plants", "v2", "--force", "--reason", "It has to be seen.")
    home.run("refit", "plants")
    home.run("promote", "plants", "v3", "--challenger")
    home.hour(plants(20, 80), by_judge=30)
    home.run("rebuild", "plants", "v2", "--without", home.ids[1], "--without", home.ids[2])
    home.run("rollback", "plants", "--reason", "Ada said so.")
    home.run("pin", "plants", "v1")


def _second_day(home: Home) -> None:
    """Plants are tall, wet is dry, some rows are odd and some are refused."""
    home.clock.go(86_400 - 6 * HOUR)
    for number in range(4):
        home.hour(
            plants(30 + number, 80, turned=True, shift=2.5 * (number > 1)),
            by_judge=50,
            by_people=10,
        )
        odd = {**plants(40, 1)[0][0], "height": 9_000.0, "light": -500.0}
        home.predicted("plants", [{**odd, "leaves": 900 + one} for one in range(3)])
        for wrong in ({**odd, "soil": "moss"}, {**odd, "height": None}, {"height": 1}):
            home.call("POST", "/api/v1/models/plants/predict", json={"inputs": wrong})
    home.look_after(4)
    home.run("learn", "plants")
    home.run("refit", "plants", "--weights", "trusted=1,training=0.1")
    home.run("weigh", "plants", "v2")
    begun = home.call("POST", "/api/v1/models/plants/audits", "judge", json={"rows": 12}).json
    assert begun is not None
    rows = [one["id"] for one in begun["data"]["rows"]]
    home.judged(({"id": id, "was_correct": True} for id in rows[:5]), "judge")
    home.look_after()


def _stream(home: Home) -> None:
    home.run("train-batch", "flowers")
    home.run("train-batch", "flowers", "--rows", "5")
    home.run("reset", "flowers", "--yes")


def _rents(home: Home) -> None:
    drawn = flats(50, 60)
    ids = home.predicted("rent", [row for row, _ in drawn])
    home.judged(
        ({"id": id, "label": rent} for id, (_, rent) in zip(ids, drawn, strict=True)), "judge"
    )
    home.clock.go(HOUR)
    home.look_after()
    home.run("refit", "rent")
    asked = home.call("POST", "/api/v1/models/rent/refit", "operator").json
    assert asked is not None
    home.call("DELETE", f"/api/v1/jobs/{asked['data']['job']['id']}", "operator")
    home.clock.go(HOUR)
    home.look_after()
