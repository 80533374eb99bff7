"""Routes are declared once: who may call them, what they take, what they answer."""

from __future__ import annotations

import os
import types
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import pytest
from flask import Blueprint, Flask, Response

from tests.conftest import ROOT
from unrot.app import API
from unrot.core.errors import Invalid
from unrot.serve.sure import HowSure
from unrot.web import security
from unrot.web.api.answers import predicted, sureness
from unrot.web.api.records import Prediction
from unrot.web.openapi.operations import table_of
from unrot.web.openapi.schema import Schemas
from unrot.web.reading import read_body, read_query, whole
from unrot.web.routes import (
    ANYONE,
    VIEWER,
    Coded,
    GuardedFlask,
    Pages,
    Undeclared,
    blueprint_of,
    route,
    routes_of,
)
from unrot.web.shape import UNSET, As, Expects, From, Keywords, Moment, Shape, Unset, members

RENEW = "UNROT_RENEW_GOLDEN"
BEGIN, END = "<!-- the table of routes -->\n", "<!-- its end -->\n"


# ── who may call ─────────────────────────────────────────────────────────────────────────────


def look() -> str:
    return "all of it"


def by_app(app: Flask) -> None:
    app.get("/secrets")(look)


def by_blueprint(app: Flask) -> None:
    blueprint = Blueprint("secrets", __name__)
    blueprint.get("/secrets")(look)
    app.register_blueprint(blueprint)


def by_pages(app: Flask) -> None:
    blueprint = Pages("secrets", __name__)
    blueprint.post("/secrets")(look)
    app.register_blueprint(blueprint)


def by_the_name_of_a_file(app: Flask) -> None:
    app.add_url_rule("/secrets", "static_secrets", look)


@pytest.mark.parametrize("register", [by_app, by_blueprint, by_pages, by_the_name_of_a_file])
def test_view_that_declares_no_access_cannot_be_registered(
    register: Callable[[Flask], None],
) -> None:
    with pytest.raises(Undeclared, match="/secrets does not say who may call it"):
        register(GuardedFlask(__name__))


def test_declaration_without_access_is_none() -> None:
    with pytest.raises(TypeError, match="needs"):
        route("GET", "/secrets", tag="looking")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="needs"):
        Pages("secrets", __name__).page("GET", "/secrets")  # type: ignore[call-arg]


def test_every_view_of_the_app_says_who_may_call_it(app: Flask) -> None:
    silent = {
        endpoint
        for endpoint, view in app.view_functions.items()
        if security.access_of(view) is None
    }

    assert {name.partition(".")[0] for name in silent} == {"static", "flasgger"}


# ── the table ────────────────────────────────────────────────────────────────────────────────


def test_table_of_routes_is_the_one_of_the_declarations() -> None:
    file = ROOT / "docs" / "api.md"
    before, _, rest = file.read_text("utf-8").partition(BEGIN)
    written, _, after = rest.partition(END)
    table = table_of(routes_of(*API)) + "\n"
    if os.environ.get(RENEW):
        file.write_text(f"{before}{BEGIN}{table}{END}{after}", "utf-8")
        written = table

    assert written == table, f"write it anew with {RENEW}=1"


# ── one declaration ──────────────────────────────────────────────────────────────────────────


class HerbQuery(Shape):
    limit: Annotated[int, "How many.", Expects("a whole number, 1 to 9", whole(1, 9))] = 5
    order: Literal["old", "new", "any"] = "any"
    from_: str = ""


class HerbBody(Shape, closed=True):
    name: Annotated[str, Expects("the name of a herb")]
    dried: bool = False


class Leaf(Shape):
    at: Moment
    length: Annotated[float | None, From("size.length")]


class Herb(Shape, named=True):
    """What grows."""

    name: str
    leaves: list[Leaf]
    latin_name: Annotated[str | Unset, As("latin name"), Keywords(maxLength=9)] = UNSET


HerbName = Annotated[str, "The name of a herb."]


@route("PUT", "/herbs/<herb>", needs=ANYONE, tag="herbs", errors=(409,), also=(201,))
def plant(herb: HerbName, query: HerbQuery, body: HerbBody) -> Coded[Herb]:
    """Plant a herb.

    Some want
    more light.
    """
    leaves = [Leaf(at=query.order, length=float(query.limit))]
    return Coded(Herb(name=herb + body.name, leaves=leaves), 201, {"Location": "/herbs"})


@route("GET", "/herbs/<herb>", needs=VIEWER, tag="herbs", prefix="/garden")
def herb(herb: HerbName) -> Herb:
    """Look at a herb."""
    return Herb(name=herb, leaves=[], latin_name="mentha")


@pytest.fixture
def garden() -> types.ModuleType:
    module = types.ModuleType(__name__)
    vars(module).update(plant=plant, herb=herb)
    return module


@pytest.fixture
def herbs(app: Flask, garden: types.ModuleType) -> Iterator[Flask]:
    """The product's own doors around two routes of ours."""
    made = GuardedFlask(__name__)
    made.config.update(app.config)
    made.extensions.update(app.extensions)
    made.register_error_handler(Invalid, lambda error: Response(error.message, 422))
    made.register_error_handler(security.NotAllowed, lambda error: Response(error.message, 401))
    made.register_blueprint(blueprint_of(garden))
    yield made


def test_route_reads_what_it_declares_and_writes_what_it_answers(herbs: Flask) -> None:
    answer = herbs.test_client().put(
        "/api/v1/herbs/a?limit=3&order=old&more=x", json={"name": "mint"}
    )

    assert answer.status_code == 201
    assert answer.headers["Location"] == "/herbs"
    assert answer.json == {
        "data": {"name": "amint", "leaves": [{"at": "old", "length": 3.0}]},
        "message": "Success",
    }


@pytest.mark.parametrize(
    ("query", "body", "said"),
    [
        ("?limit=0", {"name": "x"}, 'limit "0": expected a whole number, 1 to 9.'),
        ("?limit=", {"name": "x"}, 'limit "": expected a whole number, 1 to 9.'),
        ("?limit=٣", {"name": "x"}, 'limit "٣": expected a whole number, 1 to 9.'),
        ("?order=odd", {"name": "x"}, 'order "odd": expected old, new or any.'),
        ("", {"name": "x", "leaf": 1}, "leaf 1: expected only name, dried."),
        ("", {}, "name null: expected the name of a herb."),
        ("", {"name": 3}, "name 3: expected the name of a herb."),
        ("", {"name": "x", "dried": 1}, "dried 1: expected true or false."),
    ],
)
def test_route_says_what_it_expects(
    herbs: Flask, query: str, body: dict[str, Any], said: str
) -> None:
    answer = herbs.test_client().put(f"/api/v1/herbs/a{query}", json=body)

    assert (answer.status_code, answer.get_data(as_text=True)) == (422, said)


def test_route_lets_nobody_in_who_may_not(herbs: Flask) -> None:
    assert herbs.test_client().get("/garden/herbs/a").status_code == 401


def test_record_becomes_the_shape_that_is_declared() -> None:
    record = types.SimpleNamespace(at=0.5, size=types.SimpleNamespace(length=2.0))
    holder = types.SimpleNamespace(name="mint", leaves=(record,))

    made = Herb.of(holder, latin_name=UNSET)

    assert made.leaves == [Leaf(at="1970-01-01T00:00:00.500+00:00", length=2.0)]
    assert made.as_json() == {"name": "mint", "leaves": made.leaves}
    assert Herb(name="", leaves=[], latin_name="x").as_json()["latin name"] == "x"


def test_document_has_the_operation_of_a_declaration(garden: types.ModuleType) -> None:
    planted, looked = routes_of(garden)

    assert (planted.path, planted.all_errors) == (
        "/api/v1/herbs/<herb>",
        (400, 404, 409, 413, 415, 422),
    )
    assert (planted.summary, planted.description) == ("Plant a herb.", "Some want more light.")
    assert (looked.path, looked.all_errors) == ("/garden/herbs/<herb>", (401, 403, 404, 429, 503))
    assert table_of([looked]).splitlines()[-1] == (
        "| `GET /garden/herbs/<herb>` | viewer | Look at a herb. | 401, 403, 404, 429, 503 |"
    )


def test_schema_of_a_shape_says_what_is_declared() -> None:
    schemas = Schemas()

    assert schemas.of(Herb | None) == {
        "anyOf": [{"$ref": "#/components/schemas/Herb"}, {"enum": [None]}],
        "nullable": True,
    }
    assert schemas.of(Literal["a", "b"] | None)["enum"] == ["a", "b", None]
    assert schemas.of(HerbBody)["additionalProperties"] is False
    assert schemas.named["Herb"] == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "leaves": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "at": {"type": "string", "format": "date-time"},
                        "length": {"type": "number", "nullable": True},
                    },
                    "required": ["at", "length"],
                },
            },
            "latin name": {"type": "string", "maxLength": 9},
        },
        "required": ["name", "leaves"],
    }


def test_what_is_not_sent_is_as_declared() -> None:
    assert read_query(HerbQuery, {}) == HerbQuery(limit=5, order="any", from_="")
    assert read_query(HerbQuery, {"from": "x"}).from_ == "x"
    assert read_body(HerbBody, {"name": "x"}) == HerbBody(name="x", dried=False)


def test_predict_writes_by_hand_what_its_shape_declares(app: Flask) -> None:
    service = app.extensions["unrot"]
    row = service.catalogue().model("iris").model.schema
    answer = service.predict("iris", {one.name: one.example for one in row.features})

    names = {one.name for one in members(Prediction)}

    told = sureness(HowSure(0.9, reason="too few rows"))
    between = sureness(HowSure(0.9, between=(1.0, 2.0)))
    written = predicted(answer, is_one=True, more=[{**told, **between}])
    assert {*written, "value", "explanation"} == names
