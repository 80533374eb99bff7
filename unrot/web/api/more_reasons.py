"""The rule that holds an answer, and the rows that are like its own, for whoever asks for more.

They stand in the explanation beside the reasons. What cannot be told is said before a row is
answered, so that nothing is kept of a request that is refused.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson

from unrot.core.errors import Invalid
from unrot.core.records import Caller, Row, Version
from unrot.core.schema import parse_rows
from unrot.run.lanes import Reply
from unrot.serve.limits import RULE_COSTS
from unrot.serve.service import Service
from unrot.serve.shelf import Contents, ShelvedModel
from unrot.web.api.answers import Sent, answered, predict_explained, reply
from unrot.web.api.envelope import as_object
from unrot.web.api.explanations import Part, written_neighbours, written_rule
from unrot.web.neighbours import check_may_see


@answered
def predict_explained_further(
    of: Service,
    sent: Sent,
    model: str,
    version: str | None,
    asked: Collection[Part],
    *,
    says_sure: bool = False,
) -> Reply:
    """Score a few rows, and say more of why they are answered so."""
    # It is loaded when somebody asks why: no plain prediction needs it.
    from unrot.explain.explaining import turn, version_of

    contents = of.catalogue()
    shelved, inputs = contents.model(model), as_object(sent.read()).get("inputs")
    if "rule" in asked and isinstance(inputs, list) and len(inputs) != 1:
        raise Invalid("A rule is found for one row at a time: send one.")
    check(of, shelved, shelved.version(version), asked, sent.caller)
    of.limits.admit_explaining(sent.caller, cost_of(asked))
    with turn():
        made = predict_explained(of, sent, model, version, says_sure=says_sure)
        if made.status != 200:
            return made
        body = orjson.loads(made.body)
        told = body["data"].get("predictions", [body["data"]])
        for row, one in zip(parse_rows(shelved.model.schema, inputs), told, strict=True):
            by = version_of(shelved, one["version"])
            one["explanation"] |= further(of, contents, shelved, by, row, asked)
    return reply(body)


def check(
    of: Service, shelved: ShelvedModel, version: Version, asked: Collection[Part], caller: Caller
) -> None:
    """Return where all that is asked for can be told to somebody; else say why not."""
    # It is loaded when somebody asks why: no plain prediction needs it.
    from unrot.explain.asking import check_has_rules
    from unrot.explain.examples import examples_of

    if "neighbours" in asked:
        check_may_see(of, shelved.model.key, caller)
    if "rule" in asked:
        check_has_rules(shelved.model.schema)
    if "rule" in asked or "neighbours" in asked:
        examples_of(of.shelf, shelved, version)


def cost_of(asked: Collection[Part]) -> int:
    """Return what is told beside the reasons, as so many explanations."""
    return RULE_COSTS * ("rule" in asked) + ("neighbours" in asked)


def further(
    of: Service,
    contents: Contents,
    shelved: ShelvedModel,
    version: Version,
    row: Row,
    asked: Collection[Part],
) -> dict[str, Any]:
    """Find what is asked for beside the reasons."""
    # It is loaded when somebody asks why: no plain prediction needs it.
    from unrot.explain.asking import neighbours_of, rule_of

    found: dict[str, Any] = {}
    if "rule" in asked:
        rule = rule_of(of.shelf, contents, shelved, version, row)
        found["rule"] = written_rule(rule, shelved.model.schema)
    if "neighbours" in asked:
        like = neighbours_of(of.shelf, shelved, version, row)
        found["neighbours"] = written_neighbours(like, shelved.model.schema)
    return found
