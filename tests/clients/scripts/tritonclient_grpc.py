"""NVIDIA's tritonclient over gRPC, and gRPC's own clients of health and reflection."""

import json
import sys

import grpc
import numpy as np
import tritonclient.grpc as triton

given = json.load(sys.stdin)
target = f"127.0.0.1:{given['port']}"
client = triton.InferenceServerClient(target)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("iris")
metadata = client.get_model_metadata("iris", as_json=True)
table = triton.InferInput("table", [len(given["rows"]), len(given["names"])], "FP64")
table.set_data_from_numpy(np.array(given["rows"]))
result = client.infer("iris", [table], request_id="mine")
response = result.get_response()
keyed = triton.InferInput("table", [1, len(given["names"])], "FP64")
keyed.set_data_from_numpy(np.array(given["rows"][:1]))
client.infer("iris", [keyed], parameters={"key": "by-grpc"})
told = {
    "labels": [one.decode() for one in result.as_numpy("predict").ravel().tolist()],
    "shares": result.as_numpy("predict_proba").tolist(),
    "id": response.id,
    "ids": response.parameters["prediction_ids"].string_param.split(","),
    "inputs": [one["name"] for one in metadata["inputs"]],
}
errors = []
for call in (
    lambda: client.infer("nobody", [table]),
    lambda: client.infer("iris", [triton.InferInput("table", [2, 9], "FP64")]),
    client.get_model_repository_index,
):
    try:
        call()
    except triton.InferenceServerException as error:
        errors.append(error.status().removeprefix("StatusCode."))
operator = {"authorization": f"Bearer {given['token']}"}
index = client.get_model_repository_index(headers=operator, as_json=True)
client.load_model("iris", headers=operator)
client.unload_model("iris", headers=operator)
with grpc.insecure_channel(target) as channel:
    # Health says SERVING by field 1 = 1; reflection is asked for the list of services (field 7).
    health = channel.unary_unary("/grpc.health.v1.Health/Check")(b"")
    reflected = channel.stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    )(iter([b"\x3a\x00"]))
    services = b"".join(reflected)
told |= {
    "errors": errors,
    "index": [one["name"] for one in index["models"]],
    "health": list(health),
    "reflected": b"inference.GRPCInferenceService" in services,
}
print(json.dumps(told))
