"""A caretaker that can be held up inside its shared work: python -m bench.sleeper MODEL.

It takes the lease as each caretaker does, says so when it is in the middle of its round, and waits
a little there: whoever stops the process then stops it with the lease in its hand. After that it
commits, and says what became of it.
"""

from __future__ import annotations

import sys
import time

from unrot.core.errors import UnrotError
from unrot.core.settings import load
from unrot.run.bootstrap import open_service, writer_name
from unrot.run.caretaker import Caretaker

MOMENT = 1.0


def main(model: str) -> None:
    settings = load(dotenv=None)
    service = open_service(settings)
    caretaker = Caretaker(service, writer_name(settings))

    def look_around() -> None:
        print("inside, as", writer_name(settings), flush=True)
        time.sleep(MOMENT)
        try:
            service.store.findings.stand(model, "drill", {"was": "here"})
            print("kept", flush=True)
        except UnrotError as error:
            print(f"refused: {error.message}", flush=True)
        time.sleep(60)

    caretaker._leader._lookout.go_round = look_around  # type: ignore[method-assign]
    while True:
        caretaker.go_round()
        time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1])
