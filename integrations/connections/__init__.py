"""Registering external systems and calling them."""
