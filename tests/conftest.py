"""For every test: how long an example takes is the machine's business, not a property."""

import os

from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:
    # Before torch is imported: workers that each took every core would stand in each other's way.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("here", deadline=None)
settings.load_profile("here")
