"""MLflow's client of its scoring server."""

import json
import sys
from urllib.parse import urlsplit

import pandas as pd
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

given = json.load(sys.stdin)
address = urlsplit(given["url"])
client = ScoringServerClient(address.hostname, address.port)
client.wait_server_ready()
frame = pd.DataFrame(given["rows"], columns=given["names"])
answer = client.invoke(frame)
told = {
    "version": client.get_version(),
    "labels": answer.get_predictions()[0].tolist(),
    "ids": json.loads(answer.to_json())["ids"],
}
try:
    client.invoke(frame[given["names"][:2]])
except Exception as error:
    told["wrong"] = str(error)
print(json.dumps(told))
