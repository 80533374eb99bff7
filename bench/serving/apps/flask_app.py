"""What a tutorial does: Flask, scikit-learn, and whylogs for each request."""

import os

os.environ["WHYLOGS_NO_ANALYTICS"] = "1"

import joblib
import numpy as np
from flask import Flask, jsonify, request

np.unicode_ = np.str_
import numpy.core.multiarray
import whylogs as why

app = Flask(__name__)
model = joblib.load(os.environ["MODEL"] + ".joblib")
profile = why.log({"f0": 0.0}).profile()


@app.post("/predict")
def predict():
    rows = request.get_json()["rows"]
    for row in rows:
        profile.track({f"f{number}": value for number, value in enumerate(row)})
    return jsonify(probabilities=model.predict_proba(np.array(rows)).tolist())
