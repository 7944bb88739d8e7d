"""Pages: components and wiring, one page a file."""
