"""Secrets at rest: a key ring, and a model field that is written but hardly ever read."""
