"""A knob is declared once: its kind, its default and the words that people see beside it.

A table is a frozen dataclass whose fields are options. Its declaration is what the readers of
JSON, of forms and of the command line go by, what the API shows and describes, what stands in a
form, and what a row of the documentation says.

    >>> @dataclass(frozen=True)
    ... class Kettle:
    ...     degrees: int = option(whole(20, 100), 90, "Degrees", "So hot it gets.")
    >>> table = Table(Kettle, "kettle", 'an object such as {"degrees": 80}')
    >>> table.parse({"degrees": 80}, Kettle())
    Kettle(degrees=80)
    >>> table.parse_texts({"degrees": "hot"}, Kettle())
    Traceback (most recent call last):
    unrot.core.errors.Invalid: degrees "hot": expected a whole number from 20 to 100.
    >>> print(*table.rows())
    | `degrees` | So hot it gets. | a whole number from 20 to 100 | `90` |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from math import inf
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from unrot.core.errors import Detail, Invalid, shown
from unrot.core.schema import is_number

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MOST_DETAILS = 20
R = TypeVar("R", bound="DataclassInstance")
Json = dict[str, Any]


class Wrong(ValueError):
    """What does not fit, each with its path and what was expected."""

    def __init__(self, details: Sequence[Detail]) -> None:
        super().__init__(details[0].sentence)
        self.details = tuple(details)


# ── kinds ────────────────────────────────────────────────────────────────────────────────────


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A sort of values: how they are read, written and described."""

    read: Callable[[Any], Any]
    """Of what JSON has; a ValueError may say what was expected, in its own words."""
    expected: str
    schema: Json
    """In the OpenAPI document."""
    from_text: Callable[[str], Any] = _same
    """What JSON would have for a text of a form, a command or the environment."""
    write: Callable[[Any], Any] = _same
    """As JSON has it."""
    choices: Mapping[str, str] = field(default_factory=dict)
    """What a form offers, in words; empty where a value is typed."""
    is_secret: bool = False
    """True when a value that does not fit is not repeated."""


def parsed(parse: Callable[[str], Any], *, is_secret: bool = False) -> Kind:
    """Return the kind of a text that a function reads, whose ValueError says what was expected."""
    return Kind(read=parse, expected="a text", schema={"type": "string"}, is_secret=is_secret)


def choice(**words: str) -> Kind:
    """Return the kind of some words, each with what a form calls it."""
    expected = " or ".join(words) if len(words) == 2 else f"one of {', '.join(words)}"

    def read(value: Any) -> Any:
        return _checked(value, isinstance(value, str) and value in words)

    return Kind(
        read=read, expected=expected, schema={"type": "string", "enum": [*words]}, choices=words
    )


def switch(on: str = "on", off: str = "off") -> Kind:
    """Return the kind of on and off, with what a form calls them; true and false are read too."""
    words = choice(on=on, off=off)

    def read(value: Any) -> Any:
        return value if isinstance(value, bool) else words.read(value) == "on"

    return replace(words, read=read, write=lambda value: "on" if value else "off")


def number(
    least: float, most: float, noun: str = "a number", *, zero: str = "", said: str = ""
) -> Kind:
    """Return the kind of a number in a range.

    `zero` is what 0 does where it lies outside; `said` stands for the range where that is clearer.
    """
    ranged = f"{noun} from {least:,} to {most:,}" if most < inf else f"{noun}, {least:,} or more"
    limits = {"minimum": 0 if zero else least, **({"maximum": most} if most < inf else {})}

    def read(value: Any) -> Any:
        does_fit = _lies(value, least, most) or (bool(zero) and _lies(value, 0, 0))
        return float(_checked(value, does_fit))

    return Kind(
        read=read,
        expected=said or (f"0 {zero}, or {ranged}" if zero else ranged),
        schema={"type": "number", **limits},
        from_text=number_or_text,
    )


def whole(least: int, most: float = inf, *, said: str = "") -> Kind:
    """Return the kind of a whole number in a range; 50.0 is one."""
    any_number = number(least, most, "a whole number", said=said)

    def read(value: Any) -> Any:
        return int(_checked(value, _lies(value, least, most) and value % 1 == 0))

    def from_text(text: str) -> Any:
        with suppress(ValueError):
            return int(text)
        return number_or_text(text)

    schema = {**any_number.schema, "type": "integer"}
    return replace(any_number, read=read, schema=schema, from_text=from_text)


def maybe(kind: Kind, nothing: str) -> Kind:
    """Return the kind of a value or none; `nothing` says what holds then."""
    return replace(
        kind,
        read=lambda value: None if value is None else kind.read(value),
        expected=f"{kind.expected}, or nothing for {nothing}",
        schema={**kind.schema, "nullable": True},
        from_text=lambda text: None if text in ("", "none") else kind.from_text(text),
        write=lambda value: None if value is None else kind.write(value),
    )


def number_or_text(text: str) -> Any:
    """Read a number as JSON has it; what is none stays as it was typed."""
    try:
        return float(text)
    except ValueError:
        return text


def _lies(value: Any, least: float, most: float) -> bool:
    """Tell whether it is a number in a range; true is none, though Python takes it for 1."""
    return is_number(value) and least <= value <= most


def _checked(value: Any, does_fit: bool) -> Any:
    if not does_fit:
        raise ValueError
    return value


# ── options ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Option:
    """One knob."""

    kind: Kind
    label: str
    help: str
    group: str
    key: str
    """How people write it: in the API, in forms, on the command line, in the environment."""
    name: str = ""
    """Its field in the record."""
    default: Any = None
    """As JSON has it."""

    @property
    def schema(self) -> Json:
        """Its shape in the OpenAPI document, with what it does."""
        return {**({"description": self.help} if self.help else {}), **self.kind.schema}

    @property
    def is_number(self) -> bool:
        """True when digits are typed."""
        return self.schema["type"] in ("number", "integer")

    def row(self, *between: str) -> str:
        """Return its row in a table of the documentation: key, help, more, and its default."""
        has_default = self.default or self.default == 0
        default = f"`{as_text(self.default)}`" if has_default else "none"
        return f"| {' | '.join([f'`{self.key}`', self.help, *between, default])} |"


def option(
    kind: Kind, default: Any, label: str = "", help: str = "", *, group: str = "", key: str = ""
) -> Any:
    """Declare one field of a table; without a group it stands in no form."""
    made = {"default_factory": default} if callable(default) else {"default": default}
    return field(**made, metadata={"option": Option(kind, label, help, group, key)})


def options_of(record: type[R]) -> dict[str, Option]:
    """Return the options of a table by their keys."""
    plain = record()
    found = (
        replace(
            declared := each.metadata["option"],
            key=declared.key or each.name,
            name=each.name,
            default=declared.kind.write(getattr(plain, each.name)),
        )
        for each in fields(record)
    )
    return {each.key: each for each in found}


def as_text(value: Any) -> str:
    """Write a value of JSON as a form shows it."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {one}" for key, one in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


# ── tables ───────────────────────────────────────────────────────────────────────────────────


class Table(Generic[R]):
    """All that is known of the options of one record.

    What belongs to another thing has a path before its keys, as in `features.age.distance`.
    """

    def __init__(self, record: type[R], name: str, expected: str, **kinds: Kind) -> None:
        options = options_of(record)
        changed = {key: replace(options[key], kind=kind) for key, kind in kinds.items()}
        self.options: Mapping[str, Option] = {**options, **changed}
        self._name, self._expected = name, expected

    # reading

    def parse(self, given: Any, now: R) -> R:
        """Change the keys that are given; raise Invalid naming all that is wrong."""
        try:
            return self.read(given, now)
        except Wrong as error:
            details = error.details
        rest = len(details) - 1
        more = f" ({rest} more in details.)" if rest else ""
        raise Invalid(details[0].sentence + more, details=details[:MOST_DETAILS])

    def parse_texts(self, given: Mapping[str, str], now: R) -> R:
        """Change the keys that a form or a command line gives, where every value is a text."""
        return self.parse({key: self.from_text(key, text) for key, text in given.items()}, now)

    def from_text(self, key: str, text: str) -> Any:
        """Return what JSON would have for a text."""
        text = text.strip()
        found = self.options.get(key)
        return found.kind.from_text(text) if found else number_or_text(text)

    def read(self, given: Any, now: R, path: str = "") -> R:
        """Change the keys that are given, which stand below a path; raise Wrong."""
        if not isinstance(given, Mapping):
            raise Wrong([Detail(path[:-1] or self._name, given, self._expected)])
        details: list[Detail] = []
        changes: Json = {}
        for key, value in given.items():
            try:
                changes |= self._read_one(str(key), value, path)
            except Wrong as error:
                details += error.details
        if details:
            raise Wrong(details)
        return replace(now, **changes)

    def _read_one(self, key: str, value: Any, path: str) -> Json:
        found = self.options.get(key)
        if found is None:
            raise Wrong([unknown(path + key, value, [path + known for known in self.options])])
        try:
            return {found.name: found.kind.read(value)}
        except Wrong:
            raise
        except ValueError as error:
            said = "…" if found.kind.is_secret else value
            expected = str(error) or found.kind.expected
            raise Wrong([Detail(path + key, said, expected)]) from error

    # writing

    def write(self, record: R) -> Json:
        """Write all keys as the API shows them; what is written can be sent back."""
        return {
            key: each.kind.write(getattr(record, each.name)) for key, each in self.options.items()
        }

    def schema(self) -> Json:
        """Return the shapes of the keys in the OpenAPI document."""
        return {key: each.schema for key, each in self.options.items()}

    def rows(self) -> list[str]:
        """Return the rows of the documentation."""
        return [each.row(each.kind.expected) for each in self.options.values()]

    def texts(self, record: R) -> dict[str, str]:
        """Write the keys as a form shows them."""
        written = self.write(record)
        return {key: as_text(written[key]) for key, each in self.options.items() if each.label}

    def groups(self) -> dict[str, list[Option]]:
        """Return the fields of the form below their titles, in the order of the declarations."""
        shown_ones = [each for each in self.options.values() if each.group]
        titles = dict.fromkeys(each.group for each in shown_ones)
        return {title: [each for each in shown_ones if each.group == title] for title in titles}


def unknown(key: str, value: Any, known: Sequence[str]) -> Detail:
    """Say that there is no such key, and which one is nearest."""
    near = get_close_matches(key[:200], known, n=1, cutoff=0.0)
    said = f"no such key; the nearest known one is {near[0]}" if near else "no such key"
    return Detail(shown(key)[1:-1], value, said)
