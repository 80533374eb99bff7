"""Puts into the package of a wheel what lies beside it: pages, and how gunicorn is set."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FOLDERS, FILES = ("templates", "static"), ("gunicorn.conf.py",)


class BuildWithPages(build_py):
    """Build the package, and copy into it what unrot/core/places.py looks for."""

    def run(self):
        """Build and copy."""
        super().run()
        package = Path(self.build_lib) / "unrot"
        if self.editable_mode:
            return
        for name in FOLDERS:
            shutil.copytree(name, package / name, dirs_exist_ok=True)
        for name in FILES:
            shutil.copy(name, package / name)


setup(cmdclass={"build_py": BuildWithPages})
