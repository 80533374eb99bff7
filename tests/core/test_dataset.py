"""The cut between what is learnt from and what judges."""

from __future__ import annotations

import numpy as np

from unrot.core.dataset import cut, held_out


def test_each_class_is_cut_in_its_share() -> None:
    labels = np.array(["a"] * 50 + ["b"] * 10)

    held = held_out(labels, holdout=0.2, seed=0)

    assert (held[:50].sum(), held[50:].sum()) == (10, 2)


def test_class_always_keeps_a_row_to_learn_from() -> None:
    labels = np.array(["a", "b", "b", "b"])

    held = held_out(labels, holdout=0.99, seed=0)

    assert (held[:1].sum(), held[1:].sum()) == (0, 2)


def test_numbers_are_cut_by_chance() -> None:
    labels = np.arange(50) / 2

    held, again, other = (held_out(labels, holdout=0.2, seed=seed) for seed in (0, 0, 1))

    assert held.sum() == 10
    assert held.tolist() == again.tolist() != other.tolist()


def test_cut_parts_share_no_row() -> None:
    rows = np.arange(20.0).reshape(20, 1)

    learnt, labels, judging, judging_labels = cut(rows, rows[:, 0], holdout=0.25, seed=0)

    assert sorted([*learnt[:, 0], *judging[:, 0]]) == list(range(20))
    assert (learnt[:, 0] == labels).all()
    assert (judging[:, 0] == judging_labels).all()


def test_nothing_is_cut_from_nothing() -> None:
    assert held_out(np.array([]), holdout=0.2, seed=0).tolist() == []
