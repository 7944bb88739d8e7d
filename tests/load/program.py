"""The program itself in a process of its own, as an operator starts it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Program:
    """A running ``app.py``; ``url`` ends in a slash."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.url, self._process = url, process

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def memory(self) -> int:
        """Resident bytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024


@contextmanager
def running(*options: str, seconds: float = 180) -> Iterator[Program]:
    """``app.py`` with the embedded model and these options, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "app.py", "--port", str(port), *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        late = time.monotonic() + seconds
        while "OmniTrace Explorer is on" not in process.stdout.readline():
            if process.poll() is not None or time.monotonic() > late:
                raise RuntimeError("the program did not start")
        yield Program(process, f"http://127.0.0.1:{port}/")
    finally:
        process.kill()
        process.wait()
