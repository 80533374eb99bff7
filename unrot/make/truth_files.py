"""Open a file of what is true of predictions, in whatever form it is: it tells by its beginning."""

from __future__ import annotations

from pathlib import Path

from unrot.core.errors import Invalid
from unrot.make.csv.labels import CsvTruths, TruthFile, TruthRows
from unrot.make.csv.rows import most_columns_for
from unrot.make.parquet import MAGIC
from unrot.make.truth_lines import GroundTruthLines, is_ground_truth, open_lines
from unrot.make.truth_parquet import ParquetTruths
from unrot.serve.service import Service

UTF8_MARK = b"\xef\xbb\xbf"


def open_truths(service: Service, path: Path, model: str | None = None) -> TruthFile:
    """Open CSV, JSON lines, SageMaker's ground truth or Parquet; `model` is that of its keys."""
    return TruthFile(service, _rows(service, path), model)


def open_ground_truth(service: Service, path: Path, model: str) -> TruthFile:
    """Open what can be nothing but SageMaker's ground truth."""
    return TruthFile(service, GroundTruthLines(path, service.ids.is_ours), model)


def _rows(service: Service, path: Path) -> TruthRows:
    start = _start(path)
    if start.startswith(MAGIC):
        return ParquetTruths(path)
    if start.removeprefix(UTF8_MARK).lstrip().startswith(b"{"):
        if is_ground_truth(path):
            return GroundTruthLines(path, service.ids.is_ours)
        return open_lines(path)
    served = service.catalogue().models.values()
    return CsvTruths(path, most_columns_for(shelved.model.schema for shelved in served))


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(64)
    except FileNotFoundError as error:
        raise Invalid(f"There is no file {path}.") from error
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
