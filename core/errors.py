"""Every failure a visitor may read.

    OmniTraceError
    ├── InputError          the prompt or a file given cannot be used
    │   └── LimitError      it could, were it smaller; names the limit and the setting, or
    │                       what takes less memory
    ├── TraceFileError      a .omnitrace file is damaged, foreign or too new
    ├── ModelError          a model is unknown, missing, offline or cannot do what is asked
    ├── StoreError          the annotators' store is locked, full, unreachable or too new
    ├── StaleError          an annotator's change was made to an older state
    ├── AccessError         not signed in, or not allowed to
    └── MissingExtraError   an optional package is not installed; names it

A message gives the value, the limit and the remedy, and never a path of this machine. Anything
that is not an ``OmniTraceError`` is a bug and is logged, not shown.
"""


class OmniTraceError(Exception):
    """Base of all failures whose message is written for the person using the tool."""


class InputError(OmniTraceError):
    """The prompt, or a file in it, cannot be used as it is."""


class LimitError(InputError):
    """The input is sound but larger than a limit that the operator set, or than memory."""


class TraceFileError(OmniTraceError):
    """A trace file is damaged, is not a trace file, or was written by a newer version."""


class ModelError(OmniTraceError):
    """A model is unknown, not on this machine, or cannot do what was asked of it."""


class MissingExtraError(OmniTraceError):
    """An optional package is needed; the message says which, and how to install it."""


class StoreError(OmniTraceError):
    """The annotators' store did not do what was asked; nothing of the call was written."""


class StaleError(OmniTraceError):
    """A sentence changed since it was read. ``view`` is how it is now, as the call returns it."""

    def __init__(self, message: str, view: object = None) -> None:
        super().__init__(message)
        self.view = view


class AccessError(OmniTraceError):
    """Name and password do not fit, or the role does not allow it."""
