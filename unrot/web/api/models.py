"""The REST routes of the models and of how the service is. docs/api.md is their contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from flask import Response

from unrot.core.records import CHAMPION
from unrot.core.schema import describe
from unrot.web.api.envelope import plain
from unrot.web.api.parameters import ModelName
from unrot.web.api.records import Cell, Component, Row
from unrot.web.current import service
from unrot.web.routes import ANYONE, route
from unrot.web.shape import From, Moment, Shape, Written


class State(Shape, named=True):
    """That the process answers."""

    state: Literal["healthy"]


class Readiness(Shape, named=True):
    """How each component is."""

    state: str
    components: dict[str, Component]


class Feature(Shape, named=True):
    """One input of a model."""

    name: str
    kind: Literal["number", "integer", "category", "boolean"]
    range: list[float] | None
    choices: list[Cell] | None
    choice_names: list[str] | None
    label: str | None
    group: str | None
    unit: str | None
    description: str | None
    nullable: bool
    fixed: Annotated[bool, "Nobody can change it, as an age."]
    private: Annotated[bool, "No range, choices or example of it are told here."]
    example: Cell


class Columns(Shape):
    """What goes in and what comes out; `core.schema.describe` writes it."""

    target: str
    classes: list[str] | None
    class_names: list[str] | None
    features: list[Feature]
    example: Row


def champion(aliases: Mapping[str, str]) -> str | None:
    """Return which version answers."""
    return aliases.get(CHAMPION)


class Model(Shape, named=True):
    """A model as anybody may see it."""

    name: Annotated[str, From("model.name")]
    title: Annotated[str, From("model.title")]
    description: Annotated[str, From("model.description")]
    tags: Annotated[list[str], From("model.tags")]
    schema: Annotated[Columns, From("model.schema"), Written(describe)]
    classes: Annotated[
        list[str] | None, From("model.schema.classes"), Written(lambda names: list(names) or None)
    ]
    champion: Annotated[str | None, From("aliases"), Written(champion)]
    aliases: dict[str, str]
    versions: list[str]
    created_at: Annotated[Moment, From("model.created_at")]


class Models(Shape, named=True):
    """All models."""

    models: list[Model]


@route("GET", "/health", needs=ANYONE, tag="serving")
def health() -> State:
    """Say that the process answers."""
    return State(state="healthy")


@route("GET", "/ready", needs=ANYONE, tag="serving", answer=Readiness, errors=(503,))
def ready() -> Readiness | Response:
    """Say how each component is."""
    found = service().ready()
    is_ready = all(part.state != "down" for part in found.values())
    components = {name: Component.of(part) for name, part in found.items()}
    if is_ready:
        return Readiness(state="ready", components=components)
    data = Readiness(state="not ready", components=components)
    answer = plain({"data": data, "message": "Not ready.", "reason": "not_ready"}, 503)
    answer.headers["Retry-After"] = "5"
    return answer


@route("GET", "/models", needs=ANYONE, tag="serving")
def models() -> Models:
    """List the models."""
    contents = service().catalogue()
    service().check_known(contents)
    return Models(models=[Model.of(shelved) for shelved in contents.models.values()])


@route("GET", "/models/<model>", needs=ANYONE, tag="serving")
def model(model: ModelName) -> Model:
    """Describe a model: its schema, classes, aliases and versions."""
    return Model.of(service().catalogue().model(model))
