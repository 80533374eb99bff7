"""Whether a candidate may become champion, as plain rules: answers in, a judgement out.

    gate         passed, refused or undecided, and why
    ground       the rows on which both are compared
    world_shift  whether the world is still the one of the anchor
    paired_test  by how much two differ on the same rows, and how sure that is
    exact_tests  bounds for rows that stay the same
    betting      bounds for rows that grow and are weighed again
    spending     how one doubt is shared among all candidates

Nothing here fits an estimator, asks a store or knows HTTP.
"""
