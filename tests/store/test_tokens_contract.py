"""What every store promises about tokens of persons: each is read back as this app marked it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.store.test_contract import NOON
from unrot.core.records import Token
from unrot.core.signatures import Signatures
from unrot.run.cabinet import Cabinet
from unrot.store.operations import Operations


@pytest.mark.every_store
def test_token_is_ours_whatever_becomes_of_it(open_database: Callable[[], Operations]) -> None:
    tokens = Cabinet(open_database(), Signatures(b"the secret of this app")).tokens
    made = Token("Ada é", "judge", "1" * 64, NOON + 0.123456789, "bob", NOON + 1e6 / 7)

    tokens.add(made)
    [added] = tokens.all()
    tokens.note_use("Ada é", NOON + 1 / 3)
    [used] = tokens.all()
    tokens.revoke("Ada é", NOON + 2 / 3)
    [revoked] = tokens.all()

    assert added == made
    assert (used.used_at, used.is_signed) == (NOON + 1 / 3, True)
    assert (revoked.revoked_at, revoked.is_signed) == (NOON + 2 / 3, True)
