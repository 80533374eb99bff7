"""What holds for each test process, and for all that it starts.

It counts on one thread: several on two cores spin on each other's locks. And what is compiled once
is kept, also where somebody's environment says otherwise: tests start a few hundred processes.
"""

import os
import sys

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
