"""Limits that hold over all processes: rates, and amounts that are held and settled."""
