"""For every test: how long an example takes is the machine's business, not a property."""

from hypothesis import settings

settings.register_profile("here", deadline=None)
settings.load_profile("here")
