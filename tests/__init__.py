"""Each test process counts on one thread: several on two cores spin on each other's locks."""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
