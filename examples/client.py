"""Trace a prompt on a running OmniTrace Explorer and print what each sentence draws on.

python examples/client.py http://127.0.0.1:7860 "What do you see?" picture.png speech.wav
"""

from __future__ import annotations

import sys

from gradio_client import Client, handle_file


def main(url: str, instruction: str, *files: str) -> None:
    """Trace, print, then explain the same trace anew under other settings."""
    client = Client(url, verbose=False)
    parts = [{"file": handle_file(file)} for file in files]
    trace_file, explanation = client.predict(
        instruction=instruction, parts=parts, max_new_tokens=128, api_name="/trace"
    )
    show(explanation)

    # The model does not run again: the file holds all scores.
    print("\nThe one strongest source of the first sentence:")
    show(
        client.predict(
            trace=handle_file(trace_file), sentence=1, coverage=0.01, api_name="/explain"
        )
    )


def show(explanation: dict) -> None:
    """Each sentence, and under it its sources with their shares."""
    for span in explanation["spans"]:
        print(span["text"].strip())
        for source in span["sources"]:
            print(f"    {source['share']:4.0%}  {source['label']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
