"""The databases of the store's own tests, for what goes from one to another."""

from tests.store.conftest import postgres_url

__all__ = ["postgres_url"]
