"""The commands of ``python -m core``, one file each, with ``add_to``: its arguments, and what runs.

A command imports what it needs when it runs, so that ``--help`` waits for no torch. ``segmenting``
holds the arguments of the commands that cut sound.
"""
