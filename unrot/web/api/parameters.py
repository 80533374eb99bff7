"""What many routes take: names in their paths, and pages of lists."""

from __future__ import annotations

from typing import Annotated

from unrot.web.reading import whole
from unrot.web.shape import Expects, Keywords, Shape

MOST_LISTED = 200

ModelName = Annotated[str, "The name of a model.", Keywords(example="iris")]
ID = "aR8tYAECAwQFAAAAAAABAEqk2c0fW3nG"
PredictionId = Annotated[str, "The id of the prediction.", Keywords(example=ID)]
VersionName = Annotated[str, "The name of a version.", Keywords(example="v1")]

LIMITS = (
    Keywords(minimum=1, maximum=MOST_LISTED),
    Expects(f"a whole number, 1 to {MOST_LISTED}", whole(1, MOST_LISTED)),
)
Limit = Annotated[int, "How many, 1 to 200.", *LIMITS]


class Page(Shape):
    """A page of a list that goes back in time."""

    limit: Limit = 50
    before: Annotated[str | None, "The `next` of the page before."] = None
