"""`python -m unrot compare`: two versions as a table in the terminal."""

from __future__ import annotations

import re

import pytest

from tests.large_store import copy_of, second
from unrot.cli.compare import compare
from unrot.cli.main import parser
from unrot.core.errors import Conflict
from unrot.serve.service import Service


def compared(service: Service, *arguments: str) -> int:
    return compare(parser().parse_args(["compare", *arguments]), service.settings)


def test_versions_stand_side_by_side(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    second(service)

    assert compared(service, "zombies", "v1", "v2") == 0

    said = " ".join(capsys.readouterr().out.split())
    assert re.match(
        r"On test set A, 4,000 rows held out when v1 was trained: v1 v2 "
        r"accuracy 0\.9\d+ 0\.\d+ alone right \d+ \d+ "
        r"finds hostile 0\.\d+ 0\.\d+ finds friendly 0\.\d+ 0\.\d+ They agree on 9\d(\.\d)? % and "
        r"differ on \d+ rows\.",
        said,
    )
    assert said.endswith(
        "No judge's verdict is held out yet. An audit has nothing to ask: 0 recent predictions "
        "have no judge yet, and it needs 10. More predictions would help."
    )


def test_equal_versions_do_not_differ(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    copy_of(service)

    compared(service, "zombies", "v1", "v2")

    assert "They agree on 100 % and differ on 0 rows." in capsys.readouterr().out
    with pytest.raises(Conflict, match="two different versions"):
        compared(service, "zombies", "v1", "v1")
