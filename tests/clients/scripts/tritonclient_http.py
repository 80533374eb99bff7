"""NVIDIA's tritonclient over HTTP: tensors in binary form, and in JSON."""

import json
import sys

import numpy as np
import tritonclient.http as triton

given = json.load(sys.stdin)
client = triton.InferenceServerClient(given["url"].removeprefix("http://"))
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("iris")
metadata = client.get_model_metadata("iris")
told = {}
for form, is_binary in (("binary", True), ("json", False)):
    inputs = []
    for name, column in zip(given["names"], zip(*given["rows"])):
        tensor = triton.InferInput(name, [len(column), 1], "FP64")
        tensor.set_data_from_numpy(np.array(column).reshape(-1, 1), binary_data=is_binary)
        inputs.append(tensor)
    outputs = [
        triton.InferRequestedOutput(name, binary_data=is_binary)
        for name in ("predict", "predict_proba")
    ]
    result = client.infer("iris", inputs, outputs=outputs, request_id="mine")
    labels = result.as_numpy("predict").ravel().tolist()
    told[form] = {
        "labels": [one.decode() if isinstance(one, bytes) else one for one in labels],
        "shares": result.as_numpy("predict_proba").tolist(),
        "id": result.get_response()["id"],
        "ids": result.get_response()["parameters"]["prediction_ids"].split(","),
    }
try:
    client.infer("nobody", inputs)
except triton.InferenceServerException as error:
    told["unknown"] = [error.status(), error.message()]
print(json.dumps({**told, "inputs": [one["name"] for one in metadata["inputs"]]}))
