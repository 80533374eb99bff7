"""BentoML around a scikit-learn estimator, as its documentation has it."""

import os

import bentoml
import joblib
import numpy as np


@bentoml.service(workers=1, traffic={"timeout": 60})
class Served:
    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL"] + ".joblib")

    @bentoml.api
    def predict(self, rows: list[list[float]]) -> list[list[float]]:
        return self.model.predict_proba(np.array(rows)).tolist()
