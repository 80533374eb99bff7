"""google-api-python-client, as it asked ML Engine."""

import json
import sys

from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

given = json.load(sys.stdin)
service = build(
    "ml",
    "v1",
    static_discovery=True,
    developerKey="none",
    client_options={"api_endpoint": given["url"]},
)
told = {}
for version in ("", "/versions/v1"):
    name = f"projects/p/models/iris{version}"
    request = service.projects().predict(name=name, body={"instances": given["rows"]})
    answer = request.execute()
    told[version] = {"labels": answer["predictions"], "ids": answer["ids"]}
try:
    service.projects().predict(name="projects/p/models/iris", body={"instances": [[1]]}).execute()
except HttpError as error:
    told["wrong"] = [error.resp.status, error.reason]
print(json.dumps(told))
