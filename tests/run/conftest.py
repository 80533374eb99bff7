"""The databases of the store's own tests, for what goes from one to another."""

from tests.store.conftest import emulators, postgres, postgres_url

__all__ = ["emulators", "postgres", "postgres_url"]
