"""What is different on a platform: who comes, and what a disk that is thrown away may hold."""

from __future__ import annotations

import pytest

from unrot.core.errors import BadSetting
from unrot.core.platforms import PLATFORMS, find_platform
from unrot.core.settings import Settings, load

VARIABLES = [platform.variable for platform in PLATFORMS]
KEPT = {"DATABASE_URL": "postgres://u:p@db.example/d", "UNROT_SECRET_KEY": "a secret of sixteen"}


def loaded(**environ: str) -> Settings:
    return load(environ, None)


@pytest.mark.parametrize("variable", VARIABLES)
def test_platform_has_a_proxy_and_is_listened_on_by_all(variable: str) -> None:
    known = loaded(**{variable: "8080"}, **KEPT)

    assert (known.trusted_proxies, known.host) == (1, "0.0.0.0")
    assert known.https is (variable == "DYNO")


@pytest.mark.parametrize("variable", VARIABLES)
def test_what_an_operator_says_wins_over_the_platform(variable: str) -> None:
    said = {"UNROT_TRUSTED_PROXIES": "2", "UNROT_HOST": "::", "UNROT_HTTPS": "no"}

    known = loaded(**{variable: "8080"}, **said, **KEPT)

    assert (known.trusted_proxies, known.host, known.https) == (2, "::", False)


def test_machine_of_ones_own_is_no_platform() -> None:
    assert find_platform({"DYNO": "", "PATH": "/bin"}) is None
    assert loaded(DYNO="") == Settings()


@pytest.mark.parametrize(("variable", "name"), [("DYNO", "Heroku"), ("K_SERVICE", "Cloud Run")])
@pytest.mark.parametrize("store", ["", "sqlite:////data/unrot.db"])
def test_sqlite_on_a_disk_that_is_thrown_away_is_refused(
    variable: str, name: str, store: str
) -> None:
    with pytest.raises(BadSetting) as refused:
        loaded(**{variable: "web.1"}, UNROT_STORE=store, UNROT_SECRET_KEY="a secret of sixteen")

    assert refused.value.message.startswith(f"{name} throws the disk away")
    for said in ("SQLite", "DATABASE_URL", "UNROT_STORE", "UNROT_ALLOW_EPHEMERAL=1"):
        assert said in refused.value.message


def test_key_that_would_be_made_anew_at_each_start_is_refused() -> None:
    with pytest.raises(BadSetting, match="UNROT_SECRET_KEY to 16 or more"):
        loaded(DYNO="web.1", DATABASE_URL=KEPT["DATABASE_URL"])


def test_who_knows_that_all_is_lost_may_lose_it() -> None:
    known = loaded(DYNO="web.1", UNROT_ALLOW_EPHEMERAL="1")

    assert known.store_url == "sqlite:///var/unrot.db"


@pytest.mark.parametrize("variable", ["RENDER", "RAILWAY_ENVIRONMENT", "FLY_APP_NAME", "SPACE_ID"])
def test_platform_that_may_have_a_volume_takes_sqlite(variable: str) -> None:
    assert loaded(**{variable: "1"}).store_url == "sqlite:///var/unrot.db"


def test_dyno_with_a_database_and_a_key_starts() -> None:
    known = loaded(DYNO="web.1", PORT="31337", WEB_CONCURRENCY="3", **KEPT)

    assert (known.port, known.workers, known.store) == (31337, 3, KEPT["DATABASE_URL"])
