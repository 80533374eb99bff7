"""The platforms that apps are put on, how each is recognised, and what is different there.

Each puts one proxy before every app, and wants it to listen to all who come. Some throw the disk
away whenever they start an app: there SQLite would lose everything, and a key that was made at the
start would end every id that was given out before.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform, by the variable that it sets."""

    variable: str
    name: str
    keeps_disk: bool = True
    """Whether the disk may outlive a start; on some of them only where a volume is mounted."""


HEROKU = Platform("DYNO", "Heroku", keeps_disk=False)
VERTEX = Platform("AIP_HTTP_PORT", "Vertex AI", keeps_disk=False)
PLATFORMS = (
    HEROKU,
    VERTEX,
    Platform("RENDER", "Render"),
    Platform("RAILWAY_ENVIRONMENT", "Railway"),
    Platform("FLY_APP_NAME", "Fly"),
    Platform("K_SERVICE", "Cloud Run", keeps_disk=False),
    Platform("SPACE_ID", "Hugging Face Spaces"),
)


def find_platform(environ: Mapping[str, str]) -> Platform | None:
    """Return where this runs; None for a machine of one's own."""
    return next((one for one in PLATFORMS if environ.get(one.variable)), None)


def fill_in(environ: MutableMapping[str, str]) -> None:
    """Set what a platform needs and nobody has set."""
    platform = find_platform(environ)
    if platform is None:
        return
    everybody = "0.0.0.0"  # nosec B104  # the platform's proxy comes from another machine
    usual = {"UNROT_TRUSTED_PROXIES": "1", "UNROT_HOST": everybody}
    if platform is HEROKU:
        usual |= {"UNROT_HTTPS": "yes", "UNROT_LOG": "json"}
    if platform is VERTEX:  # It chooses the port; the one in an image was chosen by nobody.
        environ["PORT"] = environ[VERTEX.variable]
    for variable, text in usual.items():
        environ[variable] = environ.get(variable) or text
