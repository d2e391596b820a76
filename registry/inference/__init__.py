"""Calling models: one call path, thin presenters, one adapter per provider."""
