"""What a model makes of verdicts, as plain rules: rows in, lessons and judgements out.

    labels      a verdict becomes a label, or says why it tells none
    cleaning    which of them may be learnt from, and what became of the others
    batches     the order in which `learn` takes them
    recipes     what a `refit` may be made of, and which way was best
    race        recipes on the same folds, until the others are surely behind
    gate        whether a candidate may become champion
    moved       whether the world is still the one of the anchor
    comparing   two versions side by side
    rebuilding  the same version again without some verdicts

Nothing here fits an estimator, asks a store or knows HTTP.
"""
