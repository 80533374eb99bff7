"""The REST route that erases predictions."""

from __future__ import annotations

from typing import Annotated

from unrot.run import forgetting
from unrot.web.current import service
from unrot.web.routes import OPERATOR, route
from unrot.web.shape import Expects, Keywords, Shape


class Forget(Shape):
    """Which predictions to forget."""

    ids: Annotated[
        list[str],
        Keywords(minItems=1, maxItems=forgetting.MOST_AT_ONCE),
        Expects("a list of the ids of predictions"),
    ]


class Erasure(Shape):
    """What came of one of them."""

    id: str
    model: Annotated[str, "Empty where the model was removed, and all with it."]
    erased: Annotated[list[str], "What there was of it; empty where nothing was left."]
    learnt_by: Annotated[list[str], "The versions whose lessons had it."]
    carried_by: Annotated[list[str], "Those, and the versions that go on from them."]
    rebuild: Annotated[str, "The version to make again without it; empty where none carries it."]


class Erasures(Shape, named=True):
    """What came of each."""

    erasures: list[Erasure]


@route("POST", "/forget", needs=OPERATOR, errors=(403, 409, 503), tag="running")
def forget(body: Forget) -> Erasures:
    """Erase predictions and their verdicts wherever they are kept.

    The same again changes nothing. What versions learnt from them is in their parameters until they
    are made again: `rebuild` names the version, and its rebuild leaves out what was forgotten.
    """
    done = forgetting.forget(service(), body.ids)
    return Erasures(erasures=[Erasure.of(one) for one in done])
