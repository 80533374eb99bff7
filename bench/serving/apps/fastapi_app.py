"""What most people would write: FastAPI around a scikit-learn estimator."""

import os

import joblib
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model = joblib.load(os.environ["MODEL"] + ".joblib")


class Body(BaseModel):
    rows: list[list[float]]


@app.post("/predict")
def predict(body: Body):
    return {"probabilities": model.predict_proba(np.array(body.rows)).tolist()}
