"""Unrot: deploy a scikit-learn model, hear from its users, see it rot, un-rot it."""

from typing import Any

__version__ = "0.2.0"


def add(name: str, estimator: Any, X: Any, y: Any, **options: Any) -> Any:
    """Serve a fitted estimator: `unrot.add("name", estimator, X, y, holdout=(X, y))`.

    The options are those of `unrot/make/external.py`, which returns the registered version.
    """
    # A worker that predicts must not pay for scikit-learn.
    from unrot.make import external
    from unrot.run.bootstrap import open_service

    return external.add(name, estimator, X, y, opened=open_service, **options)


def __getattr__(name: str) -> Any:
    """Let `unrot.Client` be there for who asks for it."""
    if name == "Client":
        # It is of use where nothing else of this is.
        from unrot.web.client import Client

        return Client
    raise AttributeError(f"module 'unrot' has no attribute {name!r}")
