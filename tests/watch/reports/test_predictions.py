"""What fits among kept predictions, in which order, and how much is looked at to find it."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from unrot.core.errors import NotFound
from unrot.core.records import Feedback, Oddity, Prediction, Shipment
from unrot.serve.service import Service
from unrot.watch.reports import predictions
from unrot.watch.reports.predictions import Limits, Sought, find_predictions

NOON = 1_700_049_600.0


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a look take its time, however busy the machine is."""
    monkeypatch.setattr(predictions, "SECONDS_A_LOOK", 1e9)


def made(place: int, **changed: object) -> Prediction:
    """A zombie, a minute after the one before; hunger tells the place."""
    sure = 0.5 + place / 20
    plain = Prediction(
        f"z{place}", "zombies", "v1", NOON + 60 * place, [1.0, float(place), 3.0, 4.0],
        "hostile", [sure, 1 - sure], None,
    )  # fmt: skip
    return replace(plain, **changed)


def said(place: int, **changed: object) -> Feedback:
    plain = Feedback(f"z{place}", "zombies", NOON + 60 * place, NOON + 9_000, subject="here")
    return replace(plain, **changed)


@pytest.fixture
def eight(service: Service) -> Service:
    """Eight zombies: 1, 2 and 5 wrong, 3 right, 6 by a judge alone; 4 is odd, 7 of another kind."""
    rows = [made(place) for place in range(7)]
    rows.append(made(7, version="v2", label="friendly"))
    odd = Oddity("z4", "zombies", "v1", NOON + 240, 3.0)
    store = service.store
    store.traffic.ship(Shipment("s", 0, 1, "me", rows, oddities=[odd], looked_at={"z4"}))
    store.verdicts.put(
        [
            said(1, was_correct=False),
            said(2, label="friendly"),
            said(5, was_correct=False),
            said(3, was_correct=True),
            said(6, label="hostile", judge="ada"),
        ]
    )
    return service


def found(service: Service, limit: int = 50, before: str | None = None, **asked: object) -> str:
    """Return the places of those that fit, in their order."""
    page = find_predictions(service, "zombies", Sought(**asked), limit=limit, before=before)
    return "".join((row.prediction.id or "").removeprefix("z") for row in page.rows)


@pytest.mark.parametrize(
    ("asked", "places"),
    [
        ({}, "76543210"),
        ({"since": NOON + 120, "until": NOON + 300}, "432"),
        ({"verdict": "wrong"}, "521"),
        ({"verdict": "right"}, "63"),
        ({"verdict": "any"}, "65321"),
        ({"verdict": "judge"}, "6"),
        ({"verdict": "none"}, "740"),
        ({"answer": "friendly"}, "7"),
        ({"truth": "friendly"}, "521"),
        ({"truth": "hostile", "verdict": "judge"}, "6"),
        ({"version": "v2"}, "7"),
        ({"is_odd": True}, "4"),
        ({"is_odd": True, "verdict": "wrong"}, ""),
        ({"confidence": Limits(0.6, 0.75)}, "5432"),
        ({"confidence": Limits(most=0.5)}, "0"),
        ({"within": {"hunger": Limits(2, 4)}}, "432"),
        ({"within": {"hunger": Limits(2, 4), "decay": Limits(least=2)}}, ""),
        ({"chosen": {"hunger": 5}}, "5"),
        ({"id": "z3"}, "3"),
        ({"id": "elsewhere"}, ""),
        ({"order": "worst"}, "521"),
        ({"order": "worst", "within": {"hunger": Limits(most=2)}}, "21"),
        ({"order": "worst", "verdict": "right"}, ""),
    ],
)
def test_predictions_that_fit_are_found(
    eight: Service, asked: dict[str, object], places: str
) -> None:
    names = dict(
        zip(
            ("decay", "hunger"), eight.catalogue().model("zombies").model.schema.names, strict=False
        )
    )
    for field in ("within", "chosen"):
        if field in asked:
            asked = {**asked, field: {names[name]: one for name, one in asked[field].items()}}  # type: ignore[attr-defined]

    assert found(eight, **asked) == places


@pytest.mark.parametrize(
    ("asked", "pages"),
    [
        ({}, ["765", "432", "10"]),
        ({"verdict": "any"}, ["653", "21"]),
        ({"order": "worst"}, ["521", ""]),
        ({"verdict": "none"}, ["740", ""]),
    ],
)
def test_pages_follow_each_other_without_a_gap(
    eight: Service, asked: dict[str, object], pages: list[str]
) -> None:
    before, told = None, []
    while len(told) < len(pages):
        page = find_predictions(eight, "zombies", Sought(**asked), limit=3, before=before)  # type: ignore[arg-type]
        told.append("".join((row.prediction.id or "")[1:] for row in page.rows))
        before = page.next_before

    assert told == pages
    assert before is None


def test_look_ends_after_so_many_and_goes_on_where_it_ended(
    eight: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "MOST_LOOKED_AT", 3)
    asked, told, before = Sought(answer="hostile", version="v1"), [], None
    while True:
        page = find_predictions(eight, "zombies", asked, limit=50, before=before)
        ids = "".join((row.prediction.id or "")[1:] for row in page.rows)
        told.append((ids, page.looked_at, page.is_cut, page.looked_back_to))
        if (before := page.next_before) is None:
            break

    assert told == [
        ("65", 3, True, NOON + 300),
        ("432", 3, True, NOON + 120),
        ("10", 2, False, NOON),
    ]


def test_look_ends_after_some_time(eight: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "SECONDS_A_LOOK", -1.0)

    page = find_predictions(eight, "zombies", Sought(version="v1"), limit=50)

    assert (list(page.rows), page.looked_at, page.is_cut) == ([], 0, True)
    assert (
        predictions.open_look(eight.catalogue().model("zombies").model.schema).ends_at
        < time.monotonic()
    )


def test_surest_mistakes_of_what_was_looked_at_come_first(
    eight: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "MOST_LOOKED_AT", 4)

    page = find_predictions(eight, "zombies", Sought(order="worst"), limit=50)

    assert [row.prediction.id for row in page.rows] == ["z5", "z2"]
    assert (page.looked_at, page.is_cut, page.next_before) == (4, True, None)


def test_mistake_that_was_taken_back_is_no_place_to_go_on_from(eight: Service) -> None:
    eight.store.verdicts.put([said(5, given_at=NOON + 9_001, was_correct=False, withdrawn=True)])

    assert found(eight, order="worst") == "21"
    with pytest.raises(NotFound, match="begin at the first"):
        found(eight, order="worst", before="z5")


def test_number_that_is_farthest_off_comes_first() -> None:
    rows = [
        predictions.JudgedPrediction(
            made(place, label=None, probabilities=None, value=value), said(place, label=10.0)
        )
        for place, value in enumerate([11.0, 2.0, 14.0])
    ]

    ranked = predictions.worst_first(rows, 2)

    assert [row.prediction.value for row in ranked] == [2.0, 14.0]
    assert predictions.worst_first(rows, 5, behind=ranked[-1]) == [rows[0]]


def test_wide_model_has_fewer_rows_looked_at(service: Service) -> None:
    schema = service.catalogue().model("zombies").model.schema
    wide = replace(schema, features=schema.features[:1] * 4_000)

    assert predictions.open_look(schema).most == 50_000
    assert predictions.open_look(wide).most == 500
