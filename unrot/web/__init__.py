"""Pages for people and REST for programs, over HTTP."""
