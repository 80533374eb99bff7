"""The pages of the made-up home, as visitors, viewers and the operator see them, and forms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.golden.asked import IRIS, ROW
from tests.golden.home import TOKENS
from tests.golden.words import answer, apart, headed, page, said_anew

TYPED = {**{key: str(value) for key, value in ROW.items()}, "indoors": "true"}
BY_SCRIPT = "by a script"
CSRF = re.compile(r'name="csrf_token"\s+value="([^"]+)"')


class Browser:
    """Keeps its cookies, and sends forms as they came."""

    def __init__(self, app: Flask, who: str = "") -> None:
        self._client = app.test_client()
        self._token = ""
        self.who = who
        if who:
            signed_in = self.post("/login", {"token": TOKENS[who]})
            assert signed_in.status_code == 303, signed_in.text

    def get(self, path: str) -> TestResponse:
        """Look at a page."""
        return self._client.get(path)

    def shown(self, path: str) -> str:
        """Return the words of a page, or of the one that it leads to."""
        return page(self._client.get(path, follow_redirects=True).text)

    def post(
        self, path: str, fields: Mapping[str, Any], *, is_script: bool = False
    ) -> TestResponse:
        """Send a form; bytes are a file."""
        if not self._token:
            found = CSRF.search(self.get("/login").text)
            assert found
            self._token = found[1]
        form = {
            name: (BytesIO(value), "rows.csv") if isinstance(value, bytes) else value
            for name, value in {"csrf_token": self._token, **fields}.items()
        }
        got = self._client.post(path, data=form, headers={"X-Fragment": "1"} if is_script else {})
        if path == "/login" and got.status_code == 303:
            self._token = ""
        return got


def paths(names: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the pages by the name of the copy that they are in."""
    of = {name: f"/models/{name}" for name in ("plants", "rent", "flowers")}
    finding, profile = names["finding"], names["profile"]
    return {
        "home": [
            *("/", "/login", "/login?next=/models/plants/policy", "/apidocs", "/nothing"),
            "/glossary",
        ],
        "model": [*of.values(), "/models/iris", "/models/nobody"],
        "what_if": [f"{path}/what-if" for path in of.values()],
        "elsewhere": [f"{of['plants']}/elsewhere", f"{of['plants']}/embed"],
        "versions": [
            *(f"{path}/versions" for path in of.values()),
            f"{of['plants']}/versions?before=v4",
        ],
        "version": [
            *(f"{of['plants']}/versions/{name}" for name in ("v1", "v2", "v5", "v6", "v99")),
            *(f"{of['rent']}/versions/v1", f"{of['flowers']}/versions/v2"),
        ],
        "predictions": [
            *(f"{of['plants']}/predictions?before={names['early']}", f"{of['rent']}/predictions"),
            f"{of['flowers']}/predictions",
            f"{of['plants']}/predictions?order=worst&answer=dry&to.height=40&show=truth&show=height",
            f"{of['plants']}/predictions?verdict=right&version=v99&range=day",
            f"{of['plants']}/predictions?verdict=perhaps",
        ],
        "prediction": [f"/p/{names['early']}", "/p/nothing"],
        "compare": [
            *(f"{of['plants']}/compare", f"{of['plants']}/compare?first=v1&second=v6"),
            *(f"{of['plants']}/compare?first=v1&second=v99", f"{of['rent']}/compare"),
        ],
        "jobs": [
            *(f"{of['plants']}/jobs", f"{of['rent']}/jobs", f"{of['flowers']}/jobs"),
            *(f"/jobs/{names['job']}", f"/jobs/{names['cancelled']}", "/jobs/nothing"),
        ],
        "policy": [f"{of['plants']}/policy", f"{of['flowers']}/policy"],
        "settings": [
            *(f"{of['plants']}/settings", f"{of['plants']}/settings?feature=soil"),
            *(f"{of['rent']}/settings", f"{of['plants']}/remove", f"{of['plants']}/forget"),
            *("/add-a-model", "/add-a-model?file=my+rows.csv&name=No"),
        ],
        "audits": [
            *(f"{of['plants']}/audits", f"{of['rent']}/audits", f"/audits/{names['audit']}"),
            "/audits/nothing",
        ],
        "ask": [f"{of['plants']}/ask", f"{of['rent']}/ask"],
        "monitor": [
            *(f"{path}/monitor" for path in of.values()),
            f"{of['plants']}/monitor?from=2026-03-03T06:00&to=2026-03-03T10:00",
            f"{of['rent']}/monitor?from=2026-02-25&to=2026-03-02",
            f"{of['plants']}/monitor?from=soon",
        ],
        "findings": [
            *(f"{of['plants']}/findings", f"{of['rent']}/findings", f"{of['flowers']}/findings"),
            *(f"{of['plants']}/findings/{name}" for name in names["findings"].split()),
            f"{of['plants']}/findings/nothing",
        ],
        "report": [
            f"{of['plants']}/report?from=2026-03-02&to=2026-03-04&inline=1",
            *(f"{of['rent']}/report?inline=1", f"{of['plants']}/report?from=soon"),
        ],
        "rules": [f"{of['plants']}/rules", f"{of['flowers']}/rules"],
        "explorer": [
            *(f"{of['plants']}/explorer", f"{of['rent']}/explorer", f"{of['flowers']}/explorer"),
            f"{of['plants']}/explorer?x=light&y=soil&left=holdout&right=newest",
            f"{of['plants']}/explorer?finding={finding}&left=before&right=since",
            f"{of['plants']}/explorer?x=moss",
        ],
        "outliers": [f"{of['plants']}/outliers", f"{of['flowers']}/outliers"],
        "profiles": [
            *(f"{of['plants']}/profiles", f"{of['flowers']}/profiles"),
            *(f"{of['plants']}/profiles/{profile}.bin", f"{of['plants']}/profiles/nothing.bin"),
        ],
        "operations": ["/operations"],
        "back": [
            f"{of['plants']}/{where}"
            for where in ("feedback", "feedback/undo", "paste", "files/predict", "files/labels")
        ],
    }


def all_of(browsers: Mapping[str, Browser], paths: Sequence[str]) -> str:
    """Write some pages; the first one of them, and what judges do, as all see it."""
    pages = []
    for number, path in enumerate(paths):
        by = ["visitor"] if number else ["viewer", "visitor"]
        if "audits" in path or "findings/" in path:
            by = ["judge", "viewer", "visitor"]
        pages.append(looked_at(browsers, path, by=by))
    return "\n\n".join(pages)


def looked_at(browsers: Mapping[str, Browser], path: str, *, by: Sequence[str]) -> str:
    """Write a page as the operator sees it, then how others see it otherwise."""
    shown = browsers["operator"].get(path)
    said = answer(shown)
    parts = [f"══ {path}", said]
    for who in by:
        got = browsers[who].get(path)
        is_like = got.status_code == shown.status_code
        otherwise = apart(said, answer(got)) or "the same"
        parts.append(f"── a {who}: {otherwise if is_like else headed(got)}")
    return "\n".join(parts)


def forms(names: Mapping[str, str]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Yield who sends which form: a name, an address and the fields."""
    of, rent = "/models/plants", "/models/rent"
    id, voted = names["page"], {"id": names["page"]}
    yield "visitor", "no token of the form", of, {**TYPED, "csrf_token": "x"}
    yield "visitor", "", of, TYPED
    yield "visitor", BY_SCRIPT, of, TYPED
    yield "visitor", BY_SCRIPT, of, {**TYPED, "height": "tall"}
    yield "visitor", "", of, {**TYPED, "height": "9000"}
    for wrong in (
        {"height": ""},
        {"height": "tall"},
        {"leaves": "2.5"},
        {"soil": "m"},
        {"light": "1,5"},
    ):
        yield "visitor", "", of, {**TYPED, **wrong}
    yield "visitor", "", of, {}
    yield "visitor", "", rent, {"area": "50", "rooms": "2", "district": "east"}
    yield "visitor", "", "/models/flowers", {key: str(value) for key, value in IRIS.items()}
    yield "visitor", "", "/models/nobody", {}
    tried = {"from": "fields", "version": "", **TYPED}
    for along in ("height", "soil", "moss"):
        yield "visitor", BY_SCRIPT, f"{of}/what-if", {**tried, "feature": along}
    rented = {"from": "fields", "version": "", "area": "50", "rooms": "2", "district": "east"}
    yield "visitor", "", f"{rent}/what-if", {**rented, "feature": "area", "wanted": "700"}
    yield "visitor", BY_SCRIPT, f"{rent}/what-if", {**rented, "wanted": "much"}
    for row in ('{"height": 12, "light": 3}', "1,2,3,c,yes", "nonsense", "", '{"moss": 1}', "{"):
        yield "visitor", "", f"{of}/paste", {"row": row}
    yield "visitor", "", f"{of}/feedback", {**voted, "verdict": "up"}
    yield "visitor", "", f"{of}/feedback", {**voted, "verdict": "down"}
    yield "visitor", "", f"{of}/feedback", {**voted, "verdict": "down", "label": "wet"}
    yield "visitor", "", f"{of}/feedback", {**voted, "label": "damp", "comment": "x"}
    yield "visitor", "", f"{of}/feedback", {**voted, "verdict": "sideways"}
    yield "visitor", "", f"{of}/feedback", {"id": "x", "verdict": "up"}
    yield "visitor", "", f"{of}/feedback", {**voted, "verdict": "up", "csrf_token": "x"}
    yield "visitor", "", f"{rent}/feedback", {"id": names["rent"], "label": "about 500"}
    yield "visitor", "", f"{rent}/feedback", {"id": names["rent"], "label": "500"}
    yield "visitor", "", f"{of}/feedback/undo", voted
    yield "visitor", "", f"{of}/feedback/undo", {"id": id[:-3]}
    yield "visitor", BY_SCRIPT, f"{of}/feedback", {**voted, "verdict": "down"}
    rows = f"{','.join(TYPED)}\n{','.join(TYPED.values())}\n1,2,3,moss,true\n".encode()
    labels = f"id,label\n{id},dry\nx,dry\n{id},damp\n".encode()
    for file in (rows, b"moss\n1\n", b""):
        yield "visitor", "", f"{of}/files/predict", {"file": file}
        yield "visitor", "", f"{of}/files/labels", {"file": file}
    yield "visitor", BY_SCRIPT, f"{of}/files/predict", {"file": b"x", "probabilities": "1"}
    yield "visitor", "", f"{of}/files/predict", {"file": rows, "probabilities": "1"}
    yield "judge", "", f"{of}/files/labels", {"file": labels}
    yield "visitor", "", f"{of}/files/labels", {"file": labels, "csrf_token": "x"}
    yield "visitor", "", "/login", {"token": "nobody's"}
    yield "visitor", "", "/login", {"token": TOKENS["viewer"], "next": "//elsewhere.example"}
    yield "visitor", "", "/logout", {}
    yield "visitor", "", f"{of}/jobs", {"kind": "learn"}
    for path in ("jobs", "policy", "rules", "rollback", "dismiss", "audits", "versions/v2/promote"):
        yield "viewer", "", f"{of}/{path}", {}
    yield "operator", "", f"{of}/policy", {"learn": "often", "batch": "0", "cap": "x"}
    yield "operator", "", f"{of}/policy", {"learn": "every 70 verdicts", "held_out": "0.5"}
    yield "operator", "", f"{of}/policy", {"learn": "manual", "csrf_token": "x"}
    yield "operator", "", f"{of}/policy", {"learn": "manual"}
    wrong = {"distance": "far", "least_rows": "0", "features.light.distance": "7"}
    yield "operator", "", f"{of}/rules", {**wrong, "webhook": "ftp://x"}
    yield "operator", "", f"{of}/rules", {"distance": "0.2", "features.light.watched": "off"}
    yield "operator", "", f"{of}/rules/webhook", {}
    for kind in ("dance", "train_batch", "rebuild", "weigh"):
        yield "operator", "", f"{of}/jobs", {"kind": kind}
    yield "operator", "", f"{of}/jobs", {"kind": "learn"}
    yield "operator", "", f"{of}/jobs", {"kind": "refit"}
    yield "operator", "", f"/jobs/{names['cancelled']}/cancel", {}
    yield "operator", "", f"{of}/versions/v6/promote", {}
    yield "operator", "", f"{of}/versions/v99/promote", {}
    yield "operator", "", f"{of}/versions/v6/promote", {"force": "yes", "reason": "Looked at it."}
    yield "operator", "", f"{of}/versions/v1/promote", {"alias": "challenger"}
    yield "operator", "", f"{of}/dismiss", {}
    yield "operator", "", f"{of}/rollback", {}
    yield "operator", "", f"{rent}/rollback", {"back": "/models/rent"}
    finding, audit = names["findings"].split()[-1], f"/audits/{names['audit']}"
    yield "viewer", "", f"{of}/findings/{finding}", {"note": "x"}
    yield "judge", "", f"{of}/findings/{finding}", {"note": "The lamp."}
    yield "judge", "", f"{of}/audits", {"rows": "12"}
    yield "judge", "", "/models/flowers/audits", {}
    for step in ("skip", "wrong", "right", "undo"):
        yield "judge", "", audit, {"id": names["audited"], "step": step}
    yield "judge", "", audit, {"id": names["audited"], "step": "wrong", "label": "moss"}
    yield "judge", "", audit, {"id": names["audited"], "step": "wrong", "label": "wet"}
    height = {"feature": "height", "features.height.unit": "mm"}
    yield "viewer", "", f"{of}/settings", height
    yield "operator", "", f"{of}/settings", {**height, "features.height.example": "tall"}
    yield "operator", "", f"{of}/settings", {**height, "go": "on"}
    yield "operator", "", f"{of}/settings", {"classes.dry": "same", "classes.wet": "same"}
    yield "operator", "", f"{of}/forget", {"ids": "nonsense"}
    yield "operator", "", f"{of}/forget", {"ids": id}
    yield "operator", "", f"{of}/forget", {"ids": id, "agreed": "yes"}
    yield "operator", "", f"{of}/forget", {"ids": id, "agreed": "forget"}
    yield "operator", "", f"{rent}/remove", {"name": "plants"}
    yield "operator", "", f"{rent}/remove", {"name": "rent"}
    yield "operator", "", "/bring-back", {"key": "rent"}
    yield "judge", "", "/logout", {}


def sent(browser: Browser, path: str, fields: Mapping[str, Any], how: str) -> str:
    """Send a form and write what comes of it: what the page that it stands on had not said."""
    got = browser.post(path, fields, is_script=how == BY_SCRIPT)
    if got.mimetype == "text/csv" or how == BY_SCRIPT:
        return answer(got)
    if got.status_code not in (302, 303):
        return f"{headed(got)}\n{said_anew(browser.shown(path), page(got.text))}"
    where = got.headers["Location"]
    said = browser.shown(where)
    return f"{got.status_code} → {where}\n{said_anew(browser.shown(where), said)}"
