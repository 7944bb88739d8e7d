// A line of text and a quiet note; see omnitrace_ui/components/text_line.py.

const spans = element.querySelectorAll("span");
function render() {
  for (const [i, span] of [...spans].entries()) {
    const text = String(props.value?.[i] ?? "");
    if (span.textContent !== text) span.textContent = text;
  }
}
render();
watch("value", render);
