"""The doors: HTTP, GraphQL, the command line, the page."""
