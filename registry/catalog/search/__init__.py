"""Searching models and versions: a filter's text, its tree, and the query that it becomes."""
