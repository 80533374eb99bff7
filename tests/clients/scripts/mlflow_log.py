"""MLflow logs scikit-learn models into folders, as skops and as a pickle."""

import json
import sys

import mlflow.sklearn
from mlflow.models import infer_signature
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

given = json.load(sys.stdin)
X, y = load_iris(return_X_y=True, as_frame=True)
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
answered = model.predict(X)
for form in ("skops", "cloudpickle"):
    mlflow.sklearn.save_model(
        model,
        f"{given['folder']}/{form}",
        serialization_format=form,
        signature=infer_signature(X, answered),
        input_example=X.iloc[::30],
    )
print(json.dumps({"rows": X.to_dict("records"), "labels": [str(one) for one in answered]}))
