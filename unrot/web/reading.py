"""Read a query or a body into its shape; who sends something else is told what is expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NoReturn, TypeVar, get_args, get_origin

from unrot.core.errors import wrong_field
from unrot.web.shape import Expects, Member, Shape, alternatives, expectation, members, parts

S = TypeVar("S", bound=Shape)

LONGEST_NAME = 80
MOST_DIGITS = 6
_WORDS = {str: "a text", bool: "true or false"}


def refuse(name: str, value: Any, expected: str) -> NoReturn:
    """Say of one field what is expected of it."""
    raise wrong_field(name[:LONGEST_NAME], value, expected)


def whole_or_text(text: str) -> int | str:
    """Read a whole number as people type it; a text that is none, or too long, stays as it is."""
    is_whole = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
    return int(text) if is_whole else text


def read_query(kind: type[S], given: Mapping[str, str]) -> S:
    """Read the texts of a query; names that it does not know are passed over."""
    found = {}
    for one in members(kind):
        text = given.get(one.name)
        if text is not None:
            found.update(_parsed(one, text))
    return kind(**found)


def _parsed(one: Member, text: str) -> dict[str, Any]:
    expects = expected_of(one)
    if expects is None:
        return {one.attribute: text}
    if expects.skips_blank and not (text := text.strip()):
        return {}
    return {one.attribute: parse(one.name, text, expects)}


def parse(name: str, text: str, expects: Expects) -> Any:
    """Read one text."""
    if expects.read is None:
        return text
    try:
        return expects.read(text)
    except ValueError:
        refuse(name, text, expects.sentence)


def read_body(kind: type[S], given: Mapping[str, Any]) -> S:
    """Read a JSON object that has the fields of a shape and no others."""
    known = {one.name: one for one in members(kind)}
    for name, value in given.items():
        if name not in known:
            refuse(name, value, kind.only or _only(known))
    wanted = (one for one in known.values() if one.is_required or one.name in given)
    return kind(**{one.attribute: _checked(one, given) for one in wanted})


def _only(known: Mapping[str, Any]) -> str:
    return f"only {', '.join(known)}" if known else "no parameters"


def _checked(one: Member, given: Mapping[str, Any]) -> Any:
    value, [kind] = given.get(one.name), alternatives(parts(one.kind)[0])[0]
    wanted = str if get_origin(kind) is Literal else get_origin(kind) or kind
    if wanted is Any or (isinstance(value, wanted) and _holds(kind, value)):
        return value
    expects = expectation(one.kind)
    refuse(one.name, value, expects.sentence if expects else _WORDS[wanted])


def _holds(kind: Any, value: Any) -> bool:
    """Tell whether a list holds what its type says; what is no list does."""
    if get_origin(kind) is not list:
        return True
    [inner] = get_args(kind)
    return all(isinstance(one, inner) for one in value)


# ── what texts of a query are ────────────────────────────────────────────────────────────────


def expected_of(one: Member) -> Expects | None:
    """Return how a field is read: as it says, or one of the words that its type has."""
    said = expectation(one.kind)
    [kind] = alternatives(parts(one.kind)[0])[0]
    if said is not None or get_origin(kind) is not Literal:
        return said
    words = get_args(kind)
    return Expects(f"{', '.join(words[:-1])} or {words[-1]}", one_of(words))


def one_of(words: tuple[str, ...]) -> Callable[[str], str]:
    """Make a reader that takes some words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return read


def whole(least: int, most: int) -> Callable[[str], int]:
    """Make a reader of whole numbers within limits, in plain digits."""

    def read(text: str) -> int:
        is_number = text.isdecimal() and text.isascii() and len(text) <= MOST_DIGITS
        if not is_number or not least <= int(text) <= most:
            raise ValueError
        return int(text)

    return read
