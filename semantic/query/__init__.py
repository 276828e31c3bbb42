"""The query: what was asked, and what it means against one model at one moment."""
