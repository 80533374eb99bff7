"""The commands of who may and who did: tokens of persons, and the audit log."""

from __future__ import annotations

import argparse
import sys
from typing import Any, get_args

from unrot.cli.terminal import table
from unrot.core.acting import at_work
from unrot.core.plurals import counted
from unrot.core.records import Action, Token, TokenRole
from unrot.core.settings import Settings
from unrot.core.time import short_time
from unrot.run.bootstrap import open_service
from unrot.serve.service import Service
from unrot.serve.tokens import make_token

SHOWN = 50


def add_to(commands: Any) -> None:
    """Add these commands to the parser's subparsers."""
    command = commands.add_parser("token", help="make, list or revoke the tokens of persons")
    asked = command.add_subparsers(title="what to do", required=True, metavar="ACTION")
    add = asked.add_parser("add", help="make a person a token, which is shown once")
    add.add_argument("person", metavar="NAME")
    add.add_argument("--role", required=True, choices=get_args(TokenRole))
    add.add_argument("--days", type=int, metavar="N", help="how long it is good; without end else")
    add.set_defaults(command=add_token, called="add token")
    asked.add_parser("list", help="list them").set_defaults(command=list_tokens)
    revoke = asked.add_parser("revoke", help="let a token be good no longer")
    revoke.add_argument("person", metavar="NAME")
    revoke.set_defaults(command=revoke_token, called="revoke token")

    command = commands.add_parser("audit-log", help="print who did what, or check that it is whole")
    command.add_argument("--verify", action="store_true", help="check the chain of its digests")
    command.add_argument(
        "--accept",
        action="store_true",
        help="let it end where it does: a backup was put back",
    )
    command.add_argument("--last", type=int, default=SHOWN, metavar="N", help="50 if unsaid")
    command.set_defaults(command=audit_log)


def add_token(options: argparse.Namespace, settings: Settings) -> int:
    """Make a token and print it: nobody can read it again."""
    service = _opened(settings)
    doing = at_work()
    by = doing.act.who if doing is not None and doing.act is not None else ""
    made = make_token(
        *(service.store.tokens, settings, options.person, options.role, options.days),
        by=by,
        now=service.clock(),
    )
    print(made.secret)
    print(
        f"This is the token of {made.token.name} ({made.token.role}), {_ends(made.token)}. It is "
        "shown this once: only a digest of it is kept.",
        file=sys.stderr,
    )
    return 0


def list_tokens(_options: argparse.Namespace, settings: Settings) -> int:
    """List the tokens; what they say is known to their holders alone."""
    service = _opened(settings)
    found, now = service.store.tokens.all(), service.clock()
    if not found:
        print("Nobody has a token of their own: python -m unrot token add NAME --role judge")
        return 0
    head = ("name", "role", "state", "made", "by", "last used")
    print(table([head, *(_token_row(one, now) for one in found)]))
    return 0


def revoke_token(options: argparse.Namespace, settings: Settings) -> int:
    """Revoke a token with the sessions that it opened."""
    service = _opened(settings)
    service.store.tokens.revoke(options.person, service.clock())
    print(
        f"The token of {options.person} is revoked: every worker refuses it within two seconds, "
        "and the sessions that it opened are over."
    )
    return 0


def audit_log(options: argparse.Namespace, settings: Settings) -> int:
    """Print the newest entries, oldest first, or verify the chain; 1 where it is broken."""
    log = _opened(settings).store.audit_log
    if options.verify or options.accept:
        found = log.accept() if options.accept else log.verify()
        if found.broken is not None:
            print(f"Entry {found.broken} is broken: {found.trouble}.", file=sys.stderr)
            return 1
        said = f"The audit log is whole: {counted(found.entries, 'entry', 'entries')}"
        print(f"{said}; the last has the digest {found.digest}." if found.entries else f"{said}.")
        return 0
    rows = [_action_row(one) for one in log.newest(options.last)]
    head = ("number", "when", "who", "what", "model", "on", "versions", "from where")
    print(table([head, *reversed(rows)]) if rows else "No entry yet.")
    return 0


def _opened(settings: Settings) -> Service:
    service = open_service(settings)
    service.store.check()
    return service


def _ends(token: Token) -> str:
    return f"good until {short_time(token.expires_at)}" if token.expires_at else "without end"


def _token_row(token: Token, now: float) -> tuple[str, ...]:
    state = _ends(token)
    if not token.is_signed:
        state = "refused: not signed with this app's key"
    elif token.revoked_at is not None:
        state = f"revoked {short_time(token.revoked_at)}"
    elif not token.is_good(now):
        state = f"expired {short_time(token.expires_at or now)}"
    used = "-" if token.used_at is None else short_time(token.used_at)
    return (token.name, token.role, state, short_time(token.made_at), token.made_by, used)


def _action_row(one: Action) -> tuple[str, ...]:
    versions = f"{one.moved_from or '-'} → {one.moved_to or '-'}"
    is_move = one.moved_from is not None or one.moved_to is not None
    texts = (one.who, one.what, one.model or "-", one.on or "-", versions if is_move else "-")
    return (str(one.number), short_time(one.at), *texts, one.where or "-")
