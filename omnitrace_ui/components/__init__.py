"""The two components that gradio does not have: the form's parts, and the view of a trace."""
