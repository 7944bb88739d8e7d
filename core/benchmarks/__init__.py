"""Numbers that must not get worse: one module a bench, run by ``python -m core bench NAME``."""
