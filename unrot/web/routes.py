"""A route is declared once, over a typed function; nothing is served that does not say to whom.

    @route("GET", "/models/<model>/windows", needs=VIEWER, tag="accuracy", errors=(503,))
    def windows(model: ModelName, query: WindowsQuery) -> Windows:
        \"\"\"Sum predictions, verdicts and latency, step by step.\"\"\"

From this come the rule of Flask, the guard at its door, the reader of `query` and `body`, the JSON
of the answer, the operation in the OpenAPI document and the row in docs/api.md. The first paragraph
of the docstring is its summary, what follows its description. A view that reads or writes by itself
(predict does, to be quick) names its types with `body=` and `answer=`.

A page is declared by `Pages.page`. `GuardedFlask` takes no other view.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from types import ModuleType
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from flask import Blueprint, Flask, Response, redirect, request, url_for
from werkzeug.routing import Rule

from unrot.web import cors, security
from unrot.web.api import envelope
from unrot.web.reading import expected_of, read_body, read_query
from unrot.web.security import Role
from unrot.web.shape import Shape, members

ANYONE: Role = "anyone"
VIEWER: Role = "viewer"
JUDGE: Role = "judge"
OPERATOR: Role = "operator"

API = "/api/v1"
OF_LIBRARIES = re.compile(r"static|flasgger\..+")
"""Endpoints of Flask's own files and of the document of the API: anyone may see them."""
_READING = (400, 413, 415, 422)
_PLACE = re.compile(r"<(\w+)>")

Method = Literal["GET", "POST", "PUT", "DELETE"]
View = TypeVar("View", bound=Callable[..., Any])
Data = TypeVar("Data")


@dataclass(frozen=True, slots=True)
class Coded(Generic[Data]):
    """An answer with a status of its own, or with headers."""

    data: Data
    code: int
    headers: Mapping[str, str] = field(default_factory=dict)


def _undeclared() -> None:
    """Stand for the view of a route before it has one."""


@dataclass(frozen=True)
class Route:
    """One way to call the API; put over a view it declares it, and `blueprint_of` serves it."""

    method: Method
    path: str
    _: KW_ONLY
    needs: Role
    tag: str
    name: str = ""
    """The name of the view unless it is given."""
    query: type[Shape] | None = None
    """What a view reads by itself; else what its parameter says, and so for `body`, `answer`."""
    body: Any = None
    takes_nothing: bool = False
    """Whether no body at all is an empty one."""
    examples: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""
    """An example of the CSV file that is taken as well."""
    answer: Any = None
    answers_file: str = ""
    """The type of the file that it answers as well, or instead."""
    is_enveloped: bool = True
    also: tuple[int, ...] = ()
    """What it answers beside 200 when all is well."""
    errors: tuple[int, ...] = ()
    """Those that do not follow from the rest; `all_errors` are those that do as well."""
    is_for_pages_elsewhere: bool = False
    """Scripts of other sites may call it, those of `UNROT_CORS_ORIGINS`."""
    heeds_token: bool = False
    """Anyone may call it, and who has a token is somebody."""
    more: str = ""
    """Said of several routes alike, after their docstrings."""
    prefix: str = API
    view: Callable[..., Any] = _undeclared

    def __call__(self, view: View) -> View:
        """Declare a view."""
        hints = get_type_hints(view, include_extras=True)
        made = replace(
            self,
            view=view,
            path=self.prefix + self.path,
            name=self.name or view.__name__,
            query=self.query or hints.get("query"),
            body=self.body or hints.get("body"),
            answer=self.answer or _data_of(hints["return"]),
        )
        view.declared = (*getattr(view, "declared", ()), made)  # type: ignore[attr-defined]
        return view

    @functools.cached_property
    def hints(self) -> dict[str, Any]:
        """The types of what the view takes and answers."""
        return get_type_hints(self.view, include_extras=True)

    @property
    def places(self) -> dict[str, Any]:
        """The parts of its path that are not fixed, each with its type."""
        return {name: self.hints[name] for name in _PLACE.findall(self.path)}

    @property
    def all_errors(self) -> tuple[int, ...]:
        """Every status that says that something is wrong."""
        found = set(self.errors)
        found |= {401, 403, 429} if self.needs != ANYONE or self.heeds_token else set()
        found |= {404} if self.places else set()
        # What is guarded is in the store, which may be away.
        found |= {503} if self.places and self.needs != ANYONE else set()
        found |= set(_READING) if self.body is not None else set()
        found |= {422} if self.query is not None and _can_be_wrong(self.query) else set()
        return tuple(sorted(found))

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""
        return self._paragraphs[0]

    @property
    def description(self) -> str:
        """What else there is to say."""
        return "\n\n".join([*self._paragraphs[1:], *([self.more] if self.more else ())])

    @property
    def _paragraphs(self) -> list[str]:
        text = inspect.getdoc(self.view) or ""
        return [" ".join(one.split()) for one in text.split("\n\n")]


route = Route


def _can_be_wrong(query: type[Shape]) -> bool:
    return any(expected_of(one) is not None for one in members(query))


def _data_of(answer: Any) -> Any:
    if answer is Response:
        return None
    return get_args(answer)[0] if get_origin(answer) is Coded else answer


def routes_of(*modules: ModuleType) -> Iterator[Route]:
    """Find what some modules declare, as it stands in them."""
    for module in modules:
        for value in vars(module).values():
            if getattr(value, "__module__", "") == module.__name__:
                yield from getattr(value, "declared", ())


def blueprint_of(*modules: ModuleType) -> Blueprint:
    """Serve what some modules declare."""
    made = Blueprint("api", __name__)
    for one in routes_of(*modules):
        made.add_url_rule(one.path, one.name, _served(one), methods=[one.method])
    return made


def _served(declared: Route) -> Callable[..., Response]:
    """Make the view that Flask calls."""
    read, call = _readers(declared), declared.view

    @functools.wraps(call)
    def answer(**places: str) -> Response:
        given = {name: reader() for name, reader in read.items()}
        return _encoded(call(**places, **given), declared.is_enveloped)

    guarded = security.needs(declared.needs, declared.name)(answer)
    return cors.open_to_pages(guarded) if declared.is_for_pages_elsewhere else guarded


def _readers(declared: Route) -> dict[str, Callable[[], Any]]:
    """Return what reads each thing that a view takes beside parts of its path."""
    hints, read = declared.hints, envelope.body_object
    if declared.takes_nothing:
        read = envelope.parameters
    known: dict[str, Callable[[], Any]] = {
        "query": lambda: read_query(hints["query"], request.args),
        "body": lambda: read_body(hints["body"], read()),
        "caller": security.caller_of_api,
    }
    return {name: reader for name, reader in known.items() if name in hints}


def _encoded(answer: Any, is_enveloped: bool) -> Response:
    if isinstance(answer, Response):
        return answer
    coded = answer if isinstance(answer, Coded) else Coded(answer, 200)
    write = envelope.success if is_enveloped else envelope.plain
    response = write(coded.data, coded.code)
    response.headers.extend(coded.headers)
    return response


# ── pages ────────────────────────────────────────────────────────────────────────────────────


class Pages(Blueprint):
    """A blueprint whose views are declared by `page`."""

    def page(self, method: Method, *paths: str, needs: Role) -> Callable[[View], View]:
        """Declare a page: who is not signed in is sent to sign in, who may not is told so."""

        def declare(view: View) -> View:
            guarded = _guarded_page(view, needs)
            for path in paths:
                self.add_url_rule(path, view.__name__, guarded, methods=[method])
            return view

        return declare


def _guarded_page(view: Callable[..., Any], needs: Role) -> Callable[..., Any]:
    @functools.wraps(view)
    def guarded(**places: str) -> Any:
        if needs != ANYONE:
            caller = security.caller_of_page()
            if caller.role == ANYONE:
                here = request.script_root + request.full_path.rstrip("?")
                return redirect(url_for("pages.login", next=here))
            security.admit(caller, needs)
            with security.recorded(caller, view.__name__, places):
                return view(**places)
        return view(**places)

    return security.declare(guarded, needs)


# ── the app ──────────────────────────────────────────────────────────────────────────────────


class Undeclared(TypeError):
    """A view does not say who may call it."""


class LazyRule(Rule):
    """A rule that compiles what writes its addresses when the first one is wanted.

    Werkzeug compiles two functions a rule, most of which no process ever calls: that was a
    fifteenth of the time in which the app starts.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compile_now, built = super()._compile_builder, list[Callable[..., tuple[str, str]]]()

        def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
            if not built:
                built.append(compile_now(append_unknown))
            return built[0](rule, **values)

        return build


class GuardedFlask(Flask):
    """An app that takes no view that does not say who may call it."""

    url_rule_class = LazyRule

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Register a rule."""
        is_of_library = OF_LIBRARIES.fullmatch(endpoint or "")
        if view_func is not None and not is_of_library and security.access_of(view_func) is None:
            raise Undeclared(f"{rule} does not say who may call it: give it needs=…")
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **options)
