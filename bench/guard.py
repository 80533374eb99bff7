"""Has the predict path become slower? `make bench-guard`, under a minute, before a merge.

One web worker on one core answers a constant and a prediction in turn, the load comes from the
other one, on a machine that does nothing else. The share of the constant answer's speed that a
prediction reaches must not fall by more than 15 % below the one that was recorded.

    python -m bench.guard             compare
    python -m bench.guard --record    write down what is measured
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path

from bench.serving import __main__ as serving
from bench.serving.models import keep
from bench.serving.peers import named
from bench.serving.processes import running
from tests.conftest import free_port

RECORD = serving.RESULTS / "guard.json"
MODEL = "mlp"
ROUNDS, SECONDS, CONNECTIONS = 5, 3, 16
MOST_LOST = 0.15


def main() -> int:
    """Measure; compare or record."""
    serving.check_tools()
    shares = measure()
    share = statistics.median(shares)
    told = ", ".join(f"{one:.3f}" for one in sorted(shares))
    print(f"A prediction reaches {share:.3f} of the constant answer's speed ({told}).")
    if "--record" in sys.argv[1:]:
        RECORD.write_text(json.dumps({"share": round(share, 3)}) + "\n")
        return 0
    recorded = json.loads(RECORD.read_text())["share"]
    lost = 1 - share / recorded
    print(f"Recorded: {recorded:.3f}. {f'{lost:.0%} lost' if lost > 0 else 'Nothing is lost'}.")
    return int(lost > MOST_LOST)


def measure() -> list[float]:
    """Return the share of each round."""
    with tempfile.TemporaryDirectory(prefix="unrot-guard-") as place:
        folder, port = Path(place), free_port()
        keep(folder, [MODEL])
        body = folder / "body.json"
        body.write_text(json.dumps(named(serving.rows_of(folder / MODEL, 1))))
        command, env = serving.unrot_command(port, folder / "home")
        api = f"http://127.0.0.1:{port}/api/v1"
        with running(
            *(command, env, f"{api}/ready", serving.SERVER_CORE),
            cwd=serving.ROOT,
            log=folder / "log",
        ) as server:
            server.pin(serving.SERVER_CORE, serving.LOAD_CORE)
            predict, constant = f"{api}/models/{MODEL}/predict", f"{api}/health"
            return [
                _per_second(predict, body, "POST") / _per_second(constant, body, "GET")
                for _ in range(ROUNDS + 1)
            ][1:]


def _per_second(url: str, body: Path, method: str) -> float:
    told = serving.ask(url, CONNECTIONS, SECONDS, body, method)
    assert not told["failed"] + told["refused"], told
    return float(told["requests"] / told["seconds"])


if __name__ == "__main__":
    sys.exit(main())
