"""What is asked of the made-up home over HTTP, well and badly, by the area that it is of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.golden.home import flats, plants

API = "/api/v1/models"
PLANTS, RENT, FLOWERS = f"{API}/plants", f"{API}/rent", f"{API}/flowers"
ROW = plants(60, 1)[0][0]
FLAT = flats(61, 1)[0][0]
IRIS = {
    "sepal_length_cm": 5.1,
    "sepal_width_cm": 3.5,
    "petal_length_cm": 1.4,
    "petal_width_cm": 0.2,
}
LONG_NUMBER = 10**400
DEEP = "[" * 2_000 + "]" * 2_000
ON_TUESDAY = "from=2026-03-03&to=2026-03-04"


@dataclass(frozen=True)
class Ask:
    """One request."""

    method: str
    path: str
    who: str = ""
    json: Any = None
    data: str | bytes | None = None
    type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def sent(self) -> dict[str, Any]:
        """Return what Flask's test client takes."""
        if self.data is None and self.json is None:
            return {"headers": self.headers}
        body = json.dumps(self.json) if self.data is None else self.data
        return {
            "data": body,
            "content_type": self.type or "application/json",
            "headers": self.headers,
        }

    def __str__(self) -> str:
        by = f" ({self.who})" if self.who else ""
        body = self.sent.get("data", "")
        text = body.decode("latin-1") if isinstance(body, bytes) else body
        said = text if len(text) < 200 else f"{text[:80]}… {len(text):,} characters"
        kind = f" {self.type}" if self.type else ""
        return f"{self.method} {self.path}{by}{kind} {said}".strip()


def get(path: str, who: str = "viewer") -> Ask:
    return Ask("GET", path, who)


def post(path: str, body: Any = None, who: str = "operator", **more: Any) -> Ask:
    return Ask("POST", path, who, body, **more)


def put(path: str, body: Any = None, who: str = "operator") -> Ask:
    return Ask("PUT", path, who, body)


def looks(names: Mapping[str, str]) -> dict[str, list[Ask]]:
    """Return what only looks, or is refused."""
    return {
        "models": list(_models()),
        "predict": list(_predict()),
        "feedback": list(_feedback(names)),
        "versions": list(_versions(names)),
        "learning": list(_learning(names)),
        "policy": list(_policy()),
        "findings": list(_findings(names)),
        "rules": list(_rules()),
        "drift": list(_drift(names)),
        "outliers": list(_outliers(names)),
        "accuracy": list(_accuracy()),
        "explorer": list(_explorer(names)),
        "audits": list(_audits(names)),
        "operations": list(_operations()),
    }


def _models() -> Iterator[Ask]:
    yield get("/api/v1/health", "")
    yield get(API, "")
    for name in (
        "plants",
        "rent",
        "flowers",
        "iris",
        "nobody",
        "PLANTS",
        "%F0%9F%8C%B1",
        "a" * 300,
    ):
        yield get(f"{API}/{name}", "")
    yield get(f"{PLANTS}/", "")
    yield get("/api/v1/nothing", "")
    yield get("/api/v2/models", "")
    yield get(PLANTS, "a-token-of-nobody")
    yield Ask("GET", PLANTS, headers={"Authorization": "Basic b3BlcmF0b3I6eA=="})
    yield Ask("HEAD", PLANTS)
    yield Ask("OPTIONS", PLANTS)


def _predict() -> Iterator[Ask]:
    one = f"{PLANTS}/predict"
    inputs: Any
    body: Any
    yield post(one, {"inputs": ROW}, "")
    yield post(one, {"inputs": [ROW, {**ROW, "height": 9_000}]}, "")
    yield post(f"{PLANTS}/versions/v2/predict", {"inputs": ROW}, "")
    yield post(f"{PLANTS}/versions/v99/predict", {"inputs": ROW}, "")
    yield post(f"{RENT}/predict", {"inputs": FLAT}, "")
    yield post(f"{RENT}/versions/imported/predict", {"inputs": FLAT}, "")
    yield post(f"{API}/iris/predict", {"inputs": IRIS}, "")
    for inputs in (
        *(
            {},
            [],
            [{}],
            "row",
            7,
            None,
            [ROW, 7],
            [ROW, {**ROW, "soil": "moss"}],
            [[1, 2, 3, 4, 5]],
        ),
        *({**ROW, "hieght": 1}, {key: ROW[key] for key in ("height", "soil")}),
        *({**ROW, "height": value} for value in ("12", True, None, [1], {"a": 1}, LONG_NUMBER)),
        *({**ROW, "height": value} for value in (1e308, -1e308)),
        *({**ROW, "leaves": value} for value in (2.5, 10**30, -1)),
        *({**ROW, "soil": value} for value in ("", "C", 3, None, "x" * 500)),
        *({**ROW, "indoors": value} for value in (1, "yes", None)),
    ):
        yield post(one, {"inputs": inputs}, "")
    yield post(one, {"inputs": [ROW] * 10_001}, "")
    for body in ({}, [], 1, "text", {"inputs": ROW, "more": 1}, {"input": ROW}):
        yield post(one, body, "")
    for data in ('{"inputs": ', "", "{'inputs': 1}", '{"inputs": NaN}', '{"a": 1, "a": 2}', DEEP):
        yield post(one, who="", data=data)
    yield post(one, who="", data=b'{"inputs": "\xff"}')
    yield post(one, who="", data=b"\xef\xbb\xbf{}")
    yield post(one, who="", data=" " * 120_000)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=x"):
        yield post(one, who="", data=json.dumps({"inputs": ROW}), type=kind)
    yield post(one, {"inputs": FLAT}, "a-token-of-nobody")
    yield post("/api/v1/predict", ROW, "")
    yield post("/api/v1/predict", {**ROW, "soil": "moss"}, "")
    yield post("/api/v1/predict", {"inputs": ROW}, "")
    yield from _older()
    yield from _files()


def _older() -> Iterator[Ask]:
    values = list(ROW.values())
    for path in ("/api/v1/predict", "/api/v1/predictions"):
        yield post(path, {"instances": [values]}, "")
    for body in (
        *({"instances": [list(FLAT.values())], "model": "rent"},),
        *({"instances": [values], "model": name} for name in ("plants/versions/v2", "nobody", 3)),
        *({"instances": wrong} for wrong in ([], [[1]], "x", [[*values, 1]], [ROW], None)),
        *({}, {"instances": [values], "more": 1}, {"model": "plants"}),
    ):
        yield post("/api/v1/predictions", body, "")


def _files() -> Iterator[Ask]:
    head, line = ",".join(ROW), ",".join(str(value) for value in ROW.values())
    one = f"{PLANTS}/predict"
    for text in (
        f"{head}\n{line}\n{line.replace(',', ',x', 1)}\n\n",
        f"{head.replace(',', ';')}\n{line.replace(',', ';')}\n",
        "height,light\n1,2\n",
        f"{head},more\n{line},1\n",
        *("", head, "\x00\x01", f"{head}\n{line},1,2\n"),
    ):
        yield post(one, who="", data=text, type="text/csv")
    yield post(f"{one}?probabilities", who="", data=f"{head}\n{line}\n", type="text/csv")
    yield post(f"{API}/nobody/predict", who="", data=f"{head}\n{line}\n", type="text/csv")
    yield post(one, who="", data=f"{head}\n" + f"{line}\n" * 60_000, type="text/csv")


def _feedback(names: Mapping[str, str]) -> Iterator[Ask]:
    body: Any
    path, id, other = "/api/v1/feedback", names["prediction"], names["other"]
    for body in (
        *({}, [], 1, "x", {"id": id}, {"was_correct": True}, {"id": 7, "was_correct": True}),
        *({"id": id, "was_correct": value} for value in ("yes", 1, None)),
        *({"id": id, "label": value} for value in ("damp", 7, True, "", ["dry"], "x" * 300)),
        {"id": id, "was_correct": True, "label": "no such"},
        {"id": id, "was_correct": True, "comment": 7},
        {"id": id, "was_correct": True, "comment": "x" * 5_000},
        {"id": id, "was_correct": True, "more": 1},
        {"id": "short", "was_correct": True},
        {"id": id[:-1] + ("A" if id[-1] != "A" else "B"), "was_correct": True},
        {"id": names["rent"], "label": "dear"},
        {"id": names["rent"], "label": LONG_NUMBER},
    ):
        yield post(path, body, "")
    yield post(path, [{"id": id, "label": "damp"}] * 1_001, "")
    yield post(path, {"id": id, "was_correct": True}, "a-token-of-nobody")
    yield post(path, {"id": other, "was_correct": True, "comment": "Well said."}, "")
    yield post(path, {"id": other, "was_correct": True, "comment": "Well said."}, "")
    yield post(path, {"id": other, "was_correct": False}, "")
    yield post(path, {"id": other, "label": "dry"}, "judge")
    yield post(path, {"id": other, "label": "wet"}, "")
    yield post(
        path, [{"id": other, "label": "dry"}, {"id": "x"}, {"id": id, "label": "damp"}, 7], ""
    )
    yield Ask("DELETE", f"{path}/{other}", "judge")
    yield Ask("DELETE", f"{path}/{other}", "judge")
    yield Ask("DELETE", f"{path}/nothing")
    yield post(path, {"id": names["rent"], "label": 512.5}, "operator")
    older = {"model": "plants", "input data": [1], "prediction": "dry", "was correct": True}
    for body in (
        *(older, {**older, "model": "nobody"}, {**older, "was correct": 1}, {**older, "model": 1}),
        *({**older, "prediction": [1]}, {"model": "plants", "input data": [1]}),
    ):
        yield post(path, body, "")
    for text in (
        f"id,label\n{other},dry\n{id},damp\nx,dry\n,dry\n{other},\n",
        f"id,was_correct,comment\n{other},yes,Good\n{other},perhaps,\n",
        *("label\ndry\n", "id\nx\n", "", "id,label\n"),
    ):
        yield post(path, who="judge", data=text, type="text/csv")


def _versions(names: Mapping[str, str]) -> Iterator[Ask]:
    for model in (PLANTS, RENT, FLOWERS):
        yield get(f"{model}/versions")
    for name in ("v1", "v2?limit=2", "v3?limit=1", "v4?limit=1", "v5?limit=1", "v6?limit=1", "v99"):
        yield get(f"{PLANTS}/versions/{name}")
    for name in ("v2?limit=0", "v2?limit=x", f"v2?limit=1&after={names['learnt']}", "v2?after=no"):
        yield get(f"{PLANTS}/versions/{name}")
    yield get(f"{FLOWERS}/versions/v2")
    yield get(f"{RENT}/versions/imported")
    for query in ("?limit=2", f"?limit=1&before={names['learnt']}", "?before=x", "?limit=201"):
        yield get(f"{PLANTS}/predictions{query}")
    for query in ("?limit=-1", "?limit=%D9%A3", "?limit=1e2", "?limit=99999999999999999999"):
        yield get(f"{PLANTS}/predictions{query}")
    yield get(f"{RENT}/predictions?limit=1")
    for pair in ("v1/compare/v6", "v5/compare/v5", "v1/compare/v99", "v99/compare/v1"):
        yield get(f"{PLANTS}/versions/{pair}")
    yield get(f"{FLOWERS}/versions/v1/compare/v3")


def _learning(names: Mapping[str, str]) -> Iterator[Ask]:
    body: Any
    yield get(f"{PLANTS}/jobs?limit=3")
    yield get(f"{RENT}/jobs")
    yield get(f"{PLANTS}/jobs?limit=nine")
    yield get(f"/api/v1/jobs/{names['job']}")
    yield get("/api/v1/jobs/nothing")
    yield Ask("DELETE", f"/api/v1/jobs/{names['job']}", "operator")
    yield Ask("DELETE", "/api/v1/jobs/nothing", "operator")
    yield post(f"{RENT}/learn")
    yield post(f"{PLANTS}/train_batch")
    yield post(f"{PLANTS}/reset")
    yield post("/train_batch")
    yield post("/reset")
    yield post(f"{PLANTS}/learn", {"batch": 3})
    yield post(f"{PLANTS}/learn?wait=soon")
    yield post(f"{PLANTS}/learn?wait=61")
    yield post(f"{PLANTS}/learn", who="operator", data="{")
    yield post(f"{PLANTS}/learn", [1])
    for weights in ({}, 3, {"trusted": "x"}, {"trusted": -1}, {"nobody": 1}, {"training": 1e9}):
        yield post(f"{PLANTS}/refit", {"weights": weights})
    yield post(f"{PLANTS}/refit", {"trusted": 1})
    for body in (
        *({}, {"version": 3}, {"version": "v99"}, {"version": "v2", "without": "x"}),
        *({"version": "v2", "without": ["x"]}, {"version": "v2", "without": [3]}),
        {"version": "v2", "without": [names["rent"]]},
    ):
        yield post(f"{PLANTS}/rebuild", body)
    for n in (0, -1, "x", 1.5, True, 10**9, LONG_NUMBER, None):
        yield post(f"{FLOWERS}/train_batch", {"n": n})
    yield post(f"{FLOWERS}/train_batch", {"rows": 1})
    yield post(f"{FLOWERS}/reset", {"n": 1})
    yield post(f"{PLANTS}/versions/v99/weigh")
    yield post(f"{PLANTS}/versions/v2/weigh", {"force": True})
    yield post(f"{PLANTS}/versions/v1/weigh")
    for body in (
        *({}, {"version": 2}, {"version": "v99"}, {"version": "v2", "alias": "king"}),
        *({"version": "v2", "force": "yes"}, {"version": "v2", "reason": 1}, {"version": "v1"}),
        *({"version": "v6"}, {"version": "v6", "force": True}, {"version": "v2", "more": 1}),
        {"version": "v6", "force": True, "reason": "x" * 5_000},
        {"version": "v1", "alias": "challenger"},
    ):
        yield post(f"{PLANTS}/promote", body)
    yield post(f"{RENT}/rollback")
    yield post(f"{PLANTS}/rollback", {"reason": 1})
    yield post(f"{PLANTS}/rollback", {"why": "x"})
    yield Ask("DELETE", f"{RENT}/aliases/challenger", "operator")
    yield put(f"{PLANTS}/versions/v99/pin")


def _policy() -> Iterator[Ask]:
    yield get(f"{PLANTS}/policy")
    for key, values in {
        "promote": ("always", True),
        "learn": ("every 0", "every x", 3, "every 99999999"),
        "rollback": ("on",),
        "gate": ("perhaps", 1),
        "batch": (0, 1.5, "50", 100_001, LONG_NUMBER),
        "replay": (-1, 11, "x"),
        "clip": (0.5, 1_001, None),
        "cap": (-0.1, 1.1),
        "held_out": (0.91, -1),
        "tolerance": (0.6, "x"),
        "seed": (-1, 2**32, 1.5),
        "promte": ("auto",),
    }.items():
        for value in values:
            yield put(f"{RENT}/policy", {key: value})
    yield put(f"{RENT}/policy", {"batch": 0, "cap": 7, "x" * 200: 1})
    yield put(f"{RENT}/policy", [1])
    changed = {"promote": "auto", "learn": "every 50", "gate": False, "batch": 20, "replay": 0.5}
    yield put(f"{RENT}/policy", {**changed, "clip": 0, "cap": 0, "held_out": 0, "tolerance": 0.1})
    yield put(f"{RENT}/policy", {"learn": "manual", "promote": "manual", "gate": "on"})
    yield put(f"{RENT}/policy", {})


def _findings(names: Mapping[str, str]) -> Iterator[Ask]:
    for model in (PLANTS, RENT, FLOWERS):
        yield get(f"{model}/findings")
    for query in ("state=open&limit=1", "state=closed", "state=odd", "limit=0", "before=x"):
        yield get(f"{PLANTS}/findings?{query}")
    yield get(f"{PLANTS}/findings?before={names['finding']}&limit=1")
    yield get(f"{PLANTS}/findings/{names['finding']}")
    yield get(f"{RENT}/findings/{names['finding']}")
    yield get(f"{PLANTS}/findings/nothing")
    seen = f"{PLANTS}/findings/{names['finding']}/acknowledge"
    for body in ({"note": 3}, {"note": "x" * 5_000}, {"more": 1}, [1]):
        yield post(seen, body, "judge")
    yield post(f"{PLANTS}/findings/nothing/acknowledge", {}, "judge")
    yield post(seen, {"note": "The lamp was changed."}, "judge")
    yield post(seen, who="operator")
    finding = f"{PLANTS}/findings/{names['finding']}"
    for body in ({"to": 3}, {"to": "x" * 81}, {"to": "ada"}):
        yield post(f"{finding}/assign", body, "judge")
    for body in ({"text": ""}, {"text": "The new lamp comes on Monday."}):
        yield post(f"{finding}/notes", body, "judge")
    for body in ({"seconds": 1}, {"until": "soon"}, {"seconds": 3_600}):
        yield post(f"{finding}/snooze", body, "judge")
    yield get(f"{PLANTS}/findings?state=snoozed&assigned_to=ada")
    yield post(f"{finding}/wake", who="judge")
    for query in ("from=soon", "from=2026-03-03&to=2026-03-02"):
        yield get(f"{PLANTS}/report?{query}")


def _rules() -> Iterator[Ask]:
    values: Any
    yield get(f"{PLANTS}/rules")
    for key, values in {
        "period": ("year", 3),
        "least_rows": (0, "x", 1.5, 1_000_001),
        "against": ("tomorrow",),
        "drift": ("yes", 2),
        "distance": (0, 1.1, "far", LONG_NUMBER),
        "chance": (0, 1),
        "last_verdicts": (0, 10_001),
        "least_accuracy": (1.5, "x"),
        "outlier_share": (-1, 2),
        "missing": (2, None),
        "estimate_loss": (-1,),
        "webhook": ("ftp://x", "http://127.0.0.1/x", 3, "https://"),
        "features": (3, {"moss": {}}, {"light": 3}, {"light": {"watched": 3, "far": 1}}),
        "distnace": (0.2,),
    }.items():
        for value in values:
            yield put(f"{RENT if key != 'features' else PLANTS}/rules", {key: value})
    yield put(f"{RENT}/rules", [1])
    yield put(f"{RENT}/rules", {"distance": 0.25, "rot": False, "least_accuracy": None})
    yield put(f"{RENT}/rules", {"features": {"area": {"watched": "off", "distance": 0.3}}})
    yield put(f"{RENT}/rules", {"features": {"area": None}, "webhook": "https://example.org/a?b=c"})
    yield put(f"{RENT}/rules", {"webhook": None})


def _drift(names: Mapping[str, str]) -> Iterator[Ask]:
    for query in ("limit=1", "against=previous&limit=1", "against=yesterday", "limit=0", "from=x"):
        yield get(f"{PLANTS}/drift?{query}")
    yield get(f"{RENT}/drift?limit=1")
    yield get(f"{FLOWERS}/drift")
    days = "from=2026-03-03&to=2026-03-04&against_from=2026-03-02&against_to=2026-03-03"
    yield get(f"{PLANTS}/drift?{days}")
    yield get(f"{PLANTS}/drift?{days.replace('2026-03-02', '2020-03-02')}")
    yield get(f"{PLANTS}/drift?from=2026-03-03&against_to=2026-03-04")
    yield get(f"{PLANTS}/drift?from=2026-03-04&to=2026-03-03")
    yield get(f"{PLANTS}/profiles?limit=2")
    yield get(f"{PLANTS}/profiles?{ON_TUESDAY}&limit=1")
    yield get(f"{PLANTS}/profiles?from=1e400")
    yield get(f"{PLANTS}/profiles/{names['profile']}")
    yield get(f"{PLANTS}/profiles/{names['profile']}.bin")
    yield get(f"{RENT}/profiles/{names['profile']}")
    yield get(f"{PLANTS}/profiles/nothing")
    yield get(f"{PLANTS}/profiles/nothing.bin")


def _outliers(names: Mapping[str, str]) -> Iterator[Ask]:
    for query in ("limit=2", "limit=0", "before=x", f"limit=1&before={names['outlier']}"):
        yield get(f"{PLANTS}/outliers?{query}")
    yield get(f"{FLOWERS}/outliers")


def _accuracy() -> Iterator[Ask]:
    for path in ("windows", "accuracy"):
        for query in ("step=hour", "step=7&from=2026-03-01", "step=0", "step=week", "step=nan"):
            on = f"{ON_TUESDAY}&" if query == "step=hour" else ""
            yield get(f"{PLANTS}/{path}?{on}{query}")
        yield get(f"{PLANTS}/{path}?from=soon")
        yield get(f"{PLANTS}/{path}?from=2026-03-05&to=2026-03-01")
        yield get(f"{RENT}/{path}?from=2026-02-25&to=2026-03-04&step=86400")
        yield get(f"{FLOWERS}/{path}?step=day")
    for query in ("last=5&slice=soil", "last=5&slice=light&version=v1", "slice=moss", "last=x"):
        yield get(f"{PLANTS}/accuracy?{query}")
    for query in ("last=0", "last=10001", "version=v99", "version=v3&last=3"):
        yield get(f"{PLANTS}/accuracy?{query}")
    yield get(f"{RENT}/accuracy?last=3&slice=area&from=2026-02-25&step=day")


def _explorer(names: Mapping[str, str]) -> Iterator[Ask]:
    close = "x_from=5&x_to=6&y_from=20&y_to=25"
    for query in (
        *(f"x=light&y=leaves&{close}", f"x=light&y=soil&left=holdout&right=newest&{close[:15]}"),
        *("x=moss", "left=never", "left=times&left_from=x", "unjudged=maybe", "version=v99"),
        *("x_from=x", f"finding={names['finding']}&left=before&right=since&x_from=12.4", "x=light"),
        *("finding=nothing&left=before", "left=first&right=last&unjudged=1&x=light&x_from=12.4"),
    ):
        yield get(f"{PLANTS}/scatter?{query}")
    yield get(f"{RENT}/scatter?x=area&y=rooms&x_from=139")
    yield get(f"{FLOWERS}/scatter")
    for query in ("limit=1", "version=v6&limit=1&offset=1", "version=v99", "limit=x", "offset=-1"):
        yield get(f"{PLANTS}/holdout?{query}")
    yield get(f"{RENT}/holdout?limit=1")
    yield get(f"{FLOWERS}/holdout?version=v3&limit=1")


def _audits(names: Mapping[str, str]) -> Iterator[Ask]:
    yield get(f"{PLANTS}/audits", "judge")
    yield get(f"{FLOWERS}/audits", "judge")
    yield get(f"/api/v1/audits/{names['audit']}", "judge")
    yield get("/api/v1/audits/nothing", "judge")
    yield from (get(f"{model}/ask", "judge") for model in (PLANTS, RENT))
    for rows in (9, 1_001, "x", True, None, 12.5):
        yield post(f"{RENT}/audits", {"rows": rows}, "judge")
    yield post(f"{PLANTS}/audits", {"row": 12}, "judge")
    yield post(f"{PLANTS}/audits", {"rows": 12}, "judge")
    yield post(f"{FLOWERS}/audits", who="judge")


def _operations() -> Iterator[Ask]:
    yield get("/api/v1/ready", "")
    yield get("/api/v1/operations")
    yield get("/metrics")


def changes(names: Mapping[str, str]) -> list[Ask]:
    """Return what changes a home, one after the other."""
    return [
        post(f"{PLANTS}/promote", {"version": "v2"}),
        post(f"{PLANTS}/promote", {"version": "v6", "force": True, "reason": "Ada looked at it."}),
        post(f"{PLANTS}/promote", {"version": "v1", "alias": "challenger"}),
        Ask("DELETE", f"{PLANTS}/aliases/challenger", "operator"),
        Ask("DELETE", f"{PLANTS}/aliases/challenger", "operator"),
        post(f"{PLANTS}/rollback", {"reason": "Ada looked again."}),
        post(f"{PLANTS}/rollback"),
        put(f"{PLANTS}/versions/v2/pin"),
        Ask("DELETE", f"{PLANTS}/versions/v2/pin", "operator"),
        post(f"{PLANTS}/learn"),
        post(f"{PLANTS}/refit"),
        post(f"{RENT}/refit", {"weights": {"trusted": 1, "training": 0.5}}),
        post(f"{RENT}/audits", {"rows": 10}, "judge"),
        get(f"{PLANTS}/versions"),
    ]


def access(routes: Mapping[str, list[str]], names: Mapping[str, str]) -> Iterator[Ask]:
    """Return what is refused on each route for want of a right, a name, a method or a body."""
    for rule, methods in routes.items():
        path = _filled(rule, names)
        for method in methods:
            yield Ask(method, path)
            if not rule.startswith("/api/"):
                continue
            for who in ("viewer", "judge"):
                if method != "GET":
                    yield Ask(method, path, who, data="{")
            if "<model>" in rule:
                yield Ask(method, path.replace("plants", "nobody"), "operator", json={})
            if method in ("POST", "PUT"):
                yield Ask(method, path, "operator", data="{")
                yield Ask(method, path, "operator", json="text")
                yield Ask(method, path, "operator", data="a=b", type="text/plain")
        yield Ask("PATCH", path, "operator")


def _filled(rule: str, names: Mapping[str, str]) -> str:
    of_id = next(
        (name for name in ("audit", "finding", "profile") if f"/{name}s/" in rule), "other"
    )
    filled = {
        "<model>": "plants",
        "<version>": "v1",
        "<other>": "v2",
        "<job>": names["job"],
        "<id>": names["job"] if rule.startswith("/jobs/") else names[of_id],
    }
    for name, value in filled.items():
        rule = rule.replace(name, value)
    return rule
