"""The store."""

import uuid


def new_id() -> str:
    """An event id: 32 random hexadecimal digits."""
    return uuid.uuid4().hex
