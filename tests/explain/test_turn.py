"""Explanations of one process wait for each other, and not for long."""

from __future__ import annotations

import pytest

from unrot.core.errors import TooMany
from unrot.explain import explaining
from unrot.explain.explaining import explain_row
from unrot.serve.service import Service
from unrot.web.api.predictions import IRIS


def test_who_waits_too_long_for_others_is_told_to_come_back(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "LONGEST_WAIT", 0.01)
    contents = service.catalogue()
    shelved = contents.model("iris")
    asked = (service.shelf, contents, shelved, shelved.version(), [*IRIS.values()])

    with explaining._TURN, pytest.raises(TooMany, match="Other answers are being explained"):
        explain_row(*asked)

    assert explain_row(*asked).contributions
