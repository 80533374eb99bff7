"""What people call the kinds of findings."""

from __future__ import annotations

from unrot.symptoms import FindingKind

KINDS: dict[FindingKind, str] = {
    "drift": "data drift",
    "rot": "rot",
    "outliers": "outliers",
    "quality": "data quality",
    "estimate": "estimated accuracy",
    "operations": "operations",
}
