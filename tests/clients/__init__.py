"""The vendors' own clients, unmodified, against one real server.

Each is a script of `scripts/` that is run by an environment with those clients in it, which
`make clients` makes; what it wants to know comes as JSON, what it saw goes back as JSON.
"""
