"""Seldon's own client and tester."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from seldon_core.seldon_client import SeldonClient

given = json.load(sys.stdin)
host = given["url"].removeprefix("http://")
gateway = SeldonClient(gateway="seldon", gateway_endpoint=host)
rows = np.array(given["rows"])
told = {}
for form in ("ndarray", "tensor"):
    answer = gateway.predict(
        data=rows, payload_type=form, names=given["names"], client_return_type="dict"
    )
    assert answer.success, answer.msg
    data, tags = answer.response["data"], answer.response["meta"]["tags"]
    shares = data.get("ndarray") or np.reshape(data["tensor"]["values"], (len(rows), -1)).tolist()
    told[form] = {"labels": tags["labels"], "shares": shares, "ids": tags["ids"]}

client = SeldonClient(microservice_endpoint=host)
judged = []
for reward in (1.0, 0.0):
    answer = client.microservice(
        data=rows[:1], transport="rest", method="predict", payload_type="ndarray"
    )
    assert answer.success, answer.msg
    said = client.microservice_feedback(
        prediction_request=answer.request,
        prediction_response=answer.response,
        reward=reward,
        transport="rest",
    )
    assert said.success, said.msg
    judged.append(answer.response.meta.puid)

contract = {
    "features": [
        {"name": name, "dtype": "FLOAT", "ftype": "continuous", "range": [1, 5]}
        for name in given["names"]
    ],
    "targets": [],
}
address, port = host.split(":")
with TemporaryDirectory() as folder:
    file = Path(folder, "contract.json")
    file.write_text(json.dumps(contract))
    for endpoint in ("predict", "send-feedback"):
        command = [sys.executable, "-m", "seldon_core.microservice_tester", file, address, port]
        done = subprocess.run(
            [*command, "--endpoint", endpoint, "-p", "-n", "2"], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        told[endpoint] = done.stdout
print(json.dumps({**told, "judged": judged}))
