"""Shapes: what crosses the wire, declared once as types.

A shape is a frozen dataclass. From its fields come the reader of a query or a body, the JSON of an
answer and the schema in the OpenAPI document:

    class Level(Shape):
        seconds: int
        since: Second
        worth: Annotated[float | None, "In words, for the document.", Keywords(minimum=0)]

    class Recall(Shape, like=records.Recall):  # its fields, but for those declared here
        label: Annotated[str, "The class."]

A text beside a type describes it, `Keywords` add to its schema, `Expects` says how it is read and
what the client is told when it cannot be. A trailing underscore is left out of a name, so that
`from_` is `from`. What is `UNSET` is left out of an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from operator import attrgetter
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Self,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from unrot.core.time import iso_time
from unrot.web.wording import iso

Convert = Callable[[Any], Any]


class Unset(Enum):
    """The type of what is not there, which is not the same as null."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


class Keywords:
    """More keywords of a schema; a name of its own with `name`."""

    def __init__(self, **keywords: Any) -> None:
        self.keywords = keywords


ANY_OF = Keywords()
"""Beside a union: a value may be of several of its types at once."""


@dataclass(frozen=True, slots=True)
class Expects:
    """How a field is read, and what a client is told that sends something else."""

    sentence: str
    read: Callable[[str], Any] | None = None
    """Of a query: makes a value of the text, or raises ValueError."""
    skips_blank: bool = False
    """Nothing after the equals sign is as if the name were not there."""


@dataclass(frozen=True, slots=True)
class Written:
    """How a field is made from what the records have."""

    write: Convert


@dataclass(frozen=True, slots=True)
class From:
    """Where a record has a field that it calls otherwise; an empty path is the record itself."""

    path: str


@dataclass(frozen=True, slots=True)
class As:
    """What a field is called on the wire, where that is no name in Python."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """One field of a shape, by its name in Python and on the wire."""

    attribute: str
    name: str
    kind: Any
    default: Any
    get: Convert
    """Takes it of a record."""
    convert: Convert | None

    @property
    def is_required(self) -> bool:
        """Tell whether it must be there."""
        return self.default is MISSING


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Shape:
    """The base of all shapes; `named` ones have a name in the document, others stand inline."""

    is_named: ClassVar[bool] = False
    is_closed: ClassVar[bool] = False
    """Whether a name that it does not know is refused."""
    only: ClassVar[str] = ""
    """What a client is told that sends such a name; all names unless it is given."""

    def __init_subclass__(
        cls,
        *,
        named: bool = False,
        closed: bool = False,
        only: str = "",
        like: type | None = None,
    ) -> None:
        cls.is_named, cls.is_closed, cls.only = named, closed, only
        if like is not None:
            cls.__annotations__ = _like(like) | cls.__annotations__
        dataclass(frozen=True, kw_only=True)(cls)

    @classmethod
    def of(cls, source: object, **more: Any) -> Self:
        """Make it from a record that has attributes of the same names; `more` goes first."""
        for one in members(cls):
            if one.attribute not in more:
                value = one.get(source)
                more[one.attribute] = value if one.convert is None else one.convert(value)
        return cls(**more)

    def as_json(self) -> dict[str, Any]:
        """Return its fields by their names on the wire, the inner ones as they are."""
        named = ((one.name, getattr(self, one.attribute)) for one in members(type(self)))
        return {name: value for name, value in named if value is not UNSET}


def _like(record: type) -> dict[str, Any]:
    """Return the fields of a record, for a shape that has the same but for those it declares."""
    return get_type_hints(record, include_extras=True)


_MEMBERS: dict[type, tuple[Member, ...]] = {}


def members(kind: type[Shape]) -> tuple[Member, ...]:
    """Return the fields of a shape; they are looked up once."""
    if kind not in _MEMBERS:
        _MEMBERS[kind] = _members_of(kind)
    return _MEMBERS[kind]


def _members_of(kind: type[Shape]) -> tuple[Member, ...]:
    hints = get_type_hints(kind, include_extras=True)
    return tuple(
        Member(
            one.name,
            wire_name(one.name, hints[one.name]),
            hints[one.name],
            one.default,
            _getter(one.name, hints[one.name]),
            converter(hints[one.name]),
        )
        for one in fields(kind)  # type: ignore[arg-type]  # each is made a dataclass above
    )


def _getter(attribute: str, kind: Any) -> Convert:
    path = next((one.path for one in parts(kind)[1] if isinstance(one, From)), attribute)
    return attrgetter(path) if path else lambda record: record


def wire_name(attribute: str, kind: Any) -> str:
    """Return the name that JSON and queries have.

    >>> wire_name("from_", str), wire_name("was_correct", Annotated[bool, As("was correct")])
    ('from', 'was correct')
    """
    said = next((one.name for one in parts(kind)[1] if isinstance(one, As)), None)
    return said or attribute.removesuffix("_")


def to_json(value: object) -> Any:
    """Return what orjson is to write for a value that it does not know."""
    if isinstance(value, Shape):
        return value.as_json()
    raise TypeError(f"{type(value).__name__} is no shape")


def parts(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """Part a type from what is written beside it."""
    if get_origin(kind) is Annotated:
        return get_args(kind)[0], kind.__metadata__
    return kind, ()


def alternatives(kind: Any) -> tuple[tuple[Any, ...], bool]:
    """Return the types that a value may have, and whether it may be null as well."""
    if get_origin(kind) not in (Union, UnionType):
        return (kind,), False
    args = get_args(kind)
    return tuple(one for one in args if one not in (NoneType, Unset)), NoneType in args


def expectation(kind: Any) -> Expects | None:
    """Return how a field is read, where that is said."""
    return next((one for one in parts(kind)[1] if isinstance(one, Expects)), None)


def converter(kind: Any) -> Convert | None:
    """Return what makes a field's value from a record's; None where it is taken as it is."""
    bare, beside = parts(kind)
    written = next((one.write for one in beside if isinstance(one, Written)), None)
    if written is not None:
        return written
    kinds, may_be_null = alternatives(bare)
    convert = _converter(kinds[0]) if len(kinds) == 1 else None
    return _or_null(convert) if convert and may_be_null else convert


def _converter(kind: Any) -> Convert | None:
    kind, beside = parts(kind)
    if beside:
        return converter(Annotated[kind, *beside])
    if isinstance(kind, type) and issubclass(kind, Shape):
        return kind.of
    origin, args = get_origin(kind), get_args(kind)
    if origin in (tuple, list, Sequence):
        return _each(converter(args[0]))
    if origin in (dict, Mapping):
        return _each_named(converter(args[1]))
    return None


def _or_null(convert: Convert) -> Convert:
    return lambda value: None if value is None else convert(value)


def _each(convert: Convert | None) -> Convert:
    return list if convert is None else lambda values: [convert(one) for one in values]


def _each_named(convert: Convert | None) -> Convert:
    if convert is None:
        return dict
    return lambda values: {name: convert(one) for name, one in values.items()}


Moment = Annotated[str, Keywords(format="date-time"), Written(iso_time)]
Second = Annotated[str, Keywords(format="date-time"), Written(iso)]
TextOrNull = Annotated[str | None, Written(lambda text: text or None)]
"""Records have an empty text where there is none."""
