"""What happens when something on the page is used: handlers, free of layout."""
