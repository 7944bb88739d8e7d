"""The web page: pages wire, actions act, views draw, the session remembers."""
