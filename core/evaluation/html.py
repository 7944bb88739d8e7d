"""A report as one HTML file: opens anywhere, loads nothing, runs nothing.

All strings of a report come from traces and labels that strangers may have written: every one is
escaped, figures are inert images, and the page forbids scripts and requests to itself.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from core.evaluation.charts import charts
from core.evaluation.figures import drawn

TITLES = {
    "table2": "Table 2 · F1 of every signal (95 % bootstrap interval over answers)",
    "table3": "Table 3 · the published curation less one part",
    "comparisons": "Signals against each other (paired permutation test)",
    "figure2a": "Figure 2a · sound by segmenter",
    "figure2b": "Figure 2b · film by stream",
    "figure3a": "Figure 3a · position of citations",
    "figure3b": "Figure 3b · calibration of image mass",
    "figure4": "Figure 4 · quality of answers and of attribution",
    "options": "Appendix B.3 · option consistency",
    "costs": "Time and memory",
    "causal": "Causal faithfulness · nats lost without the first sources; areas of the curves",
}
_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2.2rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .2rem .7rem; border-bottom: 1px solid #8884 }
td.number { text-align: right }
.wide { overflow-x: auto } figure { display: inline-block; margin: 0 1rem 1rem 0 }
img { max-width: 100%; background: white } figcaption { font-size: .85rem }
""".strip()


def page(report: Mapping[str, Any]) -> str:
    """The report's page, as text."""
    return document("Attribution report", _parts(report))


def document(title: str, parts: Iterable[str]) -> str:
    """A page that loads and runs nothing, of parts that are markup already."""
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{escape(title)}</h1>"
    )
    return "\n".join((head, *parts, "</body></html>")) + "\n"


def _parts(report: Mapping[str, Any]) -> Iterator[str]:
    traces = report["traces"]
    yield (
        f"<p>{traces['scored']} traces scored; {traces['sentences_labelled']} sentences with a "
        f"label, {traces['sentences_unlabelled']} without. Scores are in percent.</p>"
    )
    yield "<h2>Labels</h2>" + table(report["labels"])
    if report["predictions"]:
        yield "<h2>Predictions</h2>" + table(report["predictions"])
    for chart in charts(report["tables"]):
        source = b64encode(drawn(chart, "svg")).decode()
        image = f'<img alt="{escape(chart.title)}" src="data:image/svg+xml;base64,{source}">'
        yield f"<figure>{image}<figcaption>{escape(chart.title)}</figcaption></figure>"
    for name, rows in report["tables"].items():
        yield f"<h2>{escape(TITLES[name])}</h2>" + table(rows)
    yield "<h2>Problems</h2>" + table(report["problems"]["all"])


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a table, every string escaped; the first row names the columns."""
    if not rows:
        return "<p>None.</p>"
    columns = [key for key, value in rows[0].items() if not isinstance(value, list)]
    head = "".join(f"<th>{escape(column.replace('_', ' '))}</th>" for column in columns)
    body = "\n".join(
        "<tr>" + "".join(_cell(row[column]) for column in columns) + "</tr>" for row in rows
    )
    return f'<div class="wide"><table><tr>{head}</tr>\n{body}</table></div>'


def _cell(value: Any) -> str:
    if value is None:
        return '<td class="number">–</td>'
    if isinstance(value, int | float):
        shown = value if isinstance(value, int) else f"{value:.4g}"
        return f'<td class="number">{shown}</td>'
    return f"<td>{escape(str(value))}</td>"
