"""What the benchmark of a prediction asks for is answered."""

from __future__ import annotations

import orjson
from flask import Flask

from bench.predict import Head, ask, by_fast_lane
from unrot.web.api.predictions import IRIS

PATH = "/api/v1/models/iris/predict"


def test_both_lanes_answer_the_row(app: Flask) -> None:
    body = orjson.dumps({"inputs": IRIS})

    whole = ask(app, "POST", PATH, body)
    quick = by_fast_lane(app, Head(PATH, {"content-type": "application/json"}), body)

    assert quick.status == 200
    classes = [orjson.loads(one)["data"]["class"] for one in (quick.body, whole)]
    assert classes == ["Iris-setosa", "Iris-setosa"]
