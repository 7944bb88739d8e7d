"""The Review page's handlers: who is asking, the annotator's desk, the lead's.

Every one takes a ``Signed``, and only ``Sessions`` makes those: nothing is done for a stranger.
"""
