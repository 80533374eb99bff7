"""A clock that is wrong and a disk that is full, for a server that runs: `faults.c`, preloaded."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
NO_COMPILER = "no C compiler is here (Debian: apt install gcc)"


class Faults:
    """The faults of one machine; a server that is started with `environment` has them."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._library, self._file, self._home = folder / "faults.so", folder / "faults", home
        command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(self._library), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True)
        self.set()

    @property
    def environment(self) -> dict[str, str]:
        """What a server is started with."""
        return {
            "LD_PRELOAD": str(self._library),
            "UNROT_FAULTS": str(self._file),
            "UNROT_FAULTS_BELOW": str(self._home.resolve()),
        }

    def set(self, *, seconds_off: int = 0, is_full: bool = False) -> None:
        """Set the clock and the disk, for what runs already as well."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("qq", seconds_off, is_full))

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Let nothing be written to the home folder for a while."""
        self.set(is_full=True)
        try:
            yield
        finally:
            self.set()


def has_compiler() -> bool:
    """Tell whether faults can be made here."""
    return shutil.which("cc") is not None
