"""The values of a form as a request of a program: with curl, in Python and in JavaScript."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unrot.core.records import Schema

REQUESTS = "pip install requests"


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of code that works when it is pasted."""

    id: str
    language: str
    text: str
    needs: str = ""
    """What has to be there for it."""


def snippets(site: str, model: str, schema: Schema, inputs: Mapping[str, Any]) -> list[Snippet]:
    """Write the request for one row in three ways; `site` is the address, without a slash."""
    predict = f"{site}/api/v1/models/{model}/predict"
    feedback = f"{site}/api/v1/feedback"
    answer = "class" if schema.is_classifier else "value"
    row = {name: _whole(value) for name, value in inputs.items()}
    return [
        Snippet("code-curl", "curl", _curl(predict, feedback, row)),
        Snippet("code-python", "Python", _python(predict, feedback, row, answer), REQUESTS),
        Snippet("code-js", "JavaScript", _javascript(predict, feedback, row, answer)),
    ]


def in_a_page(site: str, model: str, inputs: Mapping[str, Any]) -> Snippet:
    """Write a page of another site that asks for one row and shows thumbs."""
    cells = "".join(f"    {_json(name)}: {_json(_whole(one))},\n" for name, one in inputs.items())
    return Snippet(
        "elsewhere-script",
        "A script in your page",
        f"""<p id="answer"></p>
<p id="thumbs"></p>
<script src="{site}/unrot.js"></script>
<script type="module">
  const unrot = new Unrot({_json(model)});
  const made = await unrot.predict({{
{cells}  }});
  document.querySelector("#answer").textContent = made.class ?? made.value;
  unrot.thumbs(document.querySelector("#thumbs"), made);
</script>
""",
    )


def in_a_frame(site: str, model: str) -> Snippet:
    """Write a frame with the form of a model."""
    return Snippet(
        "elsewhere-frame",
        "The form in a frame",
        f'<iframe src="{site}/models/{model}/embed" title="Ask {model}"\n'
        '  width="100%" height="720" style="border: 0"></iframe>\n',
    )


def _curl(predict: str, feedback: str, row: Mapping[str, Any]) -> str:
    body = _json({"inputs": row}).replace("'", r"'\''")
    return f"""curl -s {predict} \\
  -H 'Content-Type: application/json' \\
  -d '{body}'

# Say whether it was right: put the id of the answer in.
curl -s {feedback} \\
  -H 'Content-Type: application/json' \\
  -d '{{"id": "…", "was_correct": true}}'
"""


def _python(predict: str, feedback: str, row: Mapping[str, Any], answer: str) -> str:
    cells = "".join(f"    {_json(name)}: {_literal(value)},\n" for name, value in row.items())
    return f"""import requests

row = {{
{cells}}}
answer = requests.post("{predict}", json={{"inputs": row}}, timeout=10)
answer.raise_for_status()
prediction = answer.json()["data"]
print(prediction["{answer}"])

# Say whether it was right, once you know.
verdict = {{"id": prediction["id"], "was_correct": True}}
requests.post("{feedback}", json=verdict, timeout=10).raise_for_status()
"""


def _javascript(predict: str, feedback: str, row: Mapping[str, Any], answer: str) -> str:
    cells = "".join(f"  {_json(name)}: {_json(value)},\n" for name, value in row.items())
    return f"""const send = async (address, body) => {{
  const headers = {{ "Content-Type": "application/json" }};
  const answer = await fetch(address, {{ method: "POST", headers, body: JSON.stringify(body) }});
  if (!answer.ok) throw new Error((await answer.json()).message);
  return (await answer.json()).data;
}};

const row = {{
{cells}}};
const prediction = await send("{predict}", {{ inputs: row }});
console.log(prediction.{answer});

// Say whether it was right, once you know.
await send("{feedback}", {{ id: prediction.id, was_correct: true }});
"""


def _whole(value: Any) -> Any:
    """Write 3.0 as 3, as a person would."""
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    return int(value) if is_whole else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _literal(value: Any) -> str:
    """Write a value as Python has it.

    >>> [_literal(value) for value in (None, True, 1.5, "née")]
    ['None', 'True', '1.5', '"née"']
    """
    return repr(value) if value is None or isinstance(value, bool) else _json(value)
