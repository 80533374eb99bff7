"""REST for programs: each route reads the request, calls one use case, and answers."""
