"""Pages for people: each reads a form or a query, calls one use case, and renders."""
