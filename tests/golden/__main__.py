"""Write what people see of the made-up home into a folder: `python -m tests.golden FOLDER`."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from tests.golden import asked, frozen, home, seen
from tests.golden.home import Home, command
from tests.golden.words import answer, in_a_line, plain, written

COMMANDS = (
    *("versions plants", "versions rent", "versions nobody", "jobs", "jobs plants", "jobs nobody"),
    *("policy plants", "policy plants --set learn=often", "policy plants --set learn", "check"),
    *("rules plants", "rules rent --set distance=9", "rules rent --set features.moss.watched=off"),
    *("compare plants v1 v6", "compare plants v1 v99", "compare rent v1 v1", "reference plants"),
    *("describe plants wrong.toml", "describe plants nothing.toml", "describe plants plants.toml"),
    *("learn nobody", "learn rent", "refit plants --weights trusted", "refit plants --weights a=1"),
    *("rebuild plants v99", "weigh plants v1", "promote plants v6", "promote plants v6 --force"),
    *("rollback rent", "pin plants v99", "pin plants v2", "pin plants v2 --off", "reset flowers"),
    *("train-batch plants", "train-batch flowers --rows 0", "jobs --cancel nothing"),
    *("train", "train tulips", "train iris --target x", "train --csv plants.csv"),
    *("train --csv nothing.csv --target x --name x", "train iris --estimator magic"),
    *("train --csv plants.csv --target moss --name x", "train --csv plants.csv --target state"),
    *("train --csv plants.csv --target state --name No", "remove nobody --yes", "remove rent"),
    *("rename rent plants --yes", "rename rent Rent --yes", "import nothing.csv --model rent"),
    *("import log.csv --model nobody", "import log.csv --model rent --time moss"),
    *("predict plants nothing.csv out.csv", "feedback nothing.csv", "backup plants.csv"),
    *("restore plants.csv --yes", "tidy", "add x nothing:load --data rent.csv --target rent"),
    *("caretaker --with-parent x", "dance", ""),
)


def write(folder: Path) -> None:
    """Write all copies."""
    clock = frozen.Clock()
    frozen.seed_chance()
    for name, text in chain(helped(), told(clock)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(plain(text).rstrip() + "\n", encoding="utf-8")


def helped() -> Iterator[tuple[str, str]]:
    """Yield what each command says of itself."""
    main = command("--help")
    yield "help/unrot.txt", main
    yield "help/train.py.txt", command("train.py", "--help")
    for name in re.findall(r"^ {4}([a-z-]+)(?: |$)", main, re.MULTILINE):
        yield f"help/{name}.txt", command(name, "--help")


def told(clock: frozen.Clock) -> Iterator[tuple[str, str]]:
    """Yield each copy by its name; what only looks comes before what changes."""
    made = home.make(clock)
    names = ids_in(made)
    asking = _Asking(made)
    yield "apispec.json", written(made.call("GET", "/apispec.json").json, whole=True)
    yield "commands/story.txt", "\n\n".join(made.told)
    lines = asking.access(names)
    yield "answers/access.txt", "\n".join(lines)
    for area, requests in asked.looks(names).items():
        yield f"answers/{area}.txt", asking.all(requests)
    browsers = {who or "visitor": seen.Browser(made.app, who) for who in ("", *home.TOKENS)}
    for name, paths in seen.paths(names).items():
        yield f"pages/{name}.txt", seen.all_of(browsers, paths)
    yield "pages/forms.txt", "\n\n".join(_sent(browsers, names))
    yield "answers/changes.txt", asking.all(asked.changes(names))
    said = (command(*line.split()) for line in COMMANDS)
    yield "commands/said.txt", "\n\n".join(said)
    yield "answers/late.txt", asking.all(_late(made, names))
    yield "answers/away.txt", asking.all(_away(made))
    yield "answers/empty.txt", asking.elsewhere(home.emptied(made.clock)).all(_empty())
    yield "routes.txt", asking.routes()


def _sent(browsers: dict[str, seen.Browser], names: dict[str, str]) -> Iterator[str]:
    for who, what, path, fields in seen.forms(names):
        shown = {key: value for key, value in fields.items() if key != "csrf_token"}
        title = f"══ {path} ({who}) {shown} {what}".rstrip()
        yield f"{title}\n{seen.sent(browsers[who], path, fields, what)}"


def _late(made: Home, names: dict[str, str]) -> Iterator[asked.Ask]:
    made.clock.go(31 * 86_400)
    yield asked.post("/api/v1/feedback", {"id": names["other"], "was_correct": True}, "")
    yield asked.get("/api/v1/ready", "")
    yield asked.get(f"{asked.PLANTS}/windows")


def _away(made: Home) -> Iterator[asked.Ask]:
    """Ask while the store is away."""
    Path("home/unrot.db").rename("home/aside.db")
    one, other = made.predicted("plants", [asked.ROW] * 2)
    feedback = "/api/v1/feedback"
    yield asked.get("/api/v1/ready", "")
    yield asked.post(f"{asked.PLANTS}/predict", {"inputs": asked.ROW}, "")
    yield asked.post(feedback, {"id": one, "was_correct": True}, "")
    yield asked.post(feedback, [{"id": one, "was_correct": True}, {"id": other}], "judge")
    yield asked.Ask("DELETE", f"{feedback}/{one}")
    for path in ("versions", "policy", "findings", "accuracy", "jobs"):
        yield asked.get(f"{asked.PLANTS}/{path}")
    yield asked.post(f"{asked.PLANTS}/learn")
    yield asked.get("/api/v1/operations")
    yield asked.get("/", "")
    yield asked.get("/models/plants", "")


def _empty() -> Iterator[asked.Ask]:
    """Ask an app that has neither models nor tokens."""
    for path in ("/", "/login", "/operations", "/models/plants", "/api/v1/models", "/api/v1/ready"):
        yield asked.get(path, "")
    yield asked.get("/api/v1/operations", "")
    yield asked.get("/api/v1/operations", "viewer")
    yield asked.post("/api/v1/predict", asked.ROW, "")
    yield asked.post("/api/v1/feedback", {"id": "x", "was_correct": True}, "")
    yield asked.post("/reset", who="")
    yield asked.put(f"{asked.PLANTS}/policy", {}, "")


class _Asking:
    """Asks, and notes which routes have answered how."""

    def __init__(self, made: Home) -> None:
        self._home = made
        self._rules: dict[str, list[str]] = defaultdict(list)
        self._seen: dict[str, Counter[int]] = defaultdict(Counter)
        for rule in sorted(made.app.url_map.iter_rules(), key=str):
            methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            if not rule.rule.startswith(("/static", "/apidocs/", "/oauth2")):
                self._rules[rule.rule] += methods

    def elsewhere(self, made: Home) -> _Asking:
        """Return who asks another home, noting the routes here."""
        other = _Asking(made)
        other._seen = self._seen
        return other

    def all(self, requests: Any) -> str:
        """Ask; write each request with its answer."""
        return "\n\n".join(f"══ {one}\n{answer(self._ask(one))}" for one in requests)

    def access(self, names: dict[str, str]) -> list[str]:
        """Ask for what is refused on every route."""
        return [f"{one} → {in_a_line(self._ask(one))}" for one in asked.access(self._rules, names)]

    def routes(self) -> str:
        """Write how often each route answered with which status, in what answers/ holds."""
        known = [f"{method} {rule}" for rule, methods in self._rules.items() for method in methods]
        return "\n".join(
            f"{name}: {dict(sorted(self._seen[name].items())) or 'never asked'}" for name in known
        )

    def _ask(self, one: asked.Ask) -> TestResponse:
        got = self._home.call(one.method, one.path, one.who, **one.sent)
        if got.request is not None:
            self._note(one.method, got)
        return got

    def _note(self, method: str, got: TestResponse) -> None:
        try:
            matched = self._home.app.url_map.bind("").match(
                got.request.path, method=method, return_rule=True
            )
        except HTTPException:
            return
        self._seen[f"{method} {matched[0]}"][got.status_code] += 1


def ids_in(made: Home) -> dict[str, str]:
    """Return the ids of what is asked for."""

    def data(path: str) -> Any:
        return (made.call("GET", path, "operator").json or {})["data"]

    plants = asked.PLANTS
    findings = [one["id"] for one in data(f"{plants}/findings")["findings"]]
    predicted = [one["id"] for one in data(f"{asked.RENT}/predictions?limit=5")["predictions"]]
    learnt = data(f"{plants}/versions/v2?limit=3")["learnt_from"]
    audit = data(f"{plants}/audits")["audits"][0]["id"]
    jobs = [one["id"] for one in data(f"{plants}/jobs")["jobs"]]
    rows = data(f"/api/v1/audits/{audit}")["rows"]
    fresh = made.predicted("plants", [asked.ROW] * 3)
    return {
        "prediction": fresh[0],
        "other": fresh[1],
        "page": fresh[2],
        "early": made.ids[4],
        "rent": predicted[0],
        "learnt": learnt[0]["prediction"]["id"],
        "job": jobs[0],
        "cancelled": data(f"{asked.RENT}/jobs")["jobs"][0]["id"],
        "finding": findings[0],
        "findings": " ".join(findings),
        "profile": data(f"{plants}/profiles?limit=1")["profiles"][0]["id"],
        "outlier": data(f"{plants}/outliers?limit=1")["outliers"][0]["prediction"]["id"],
        "audit": audit,
        "audited": next(one["id"] for one in rows if one["state"] == "left"),
    }


if __name__ == "__main__":
    target = Path(sys.argv[1]).resolve()
    os.environ.update(home.SETTINGS, UNROT_HOME="home")
    with tempfile.TemporaryDirectory() as elsewhere:
        os.chdir(elsewhere)
        write(target)
        os.chdir("/")
