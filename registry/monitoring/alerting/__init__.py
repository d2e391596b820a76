"""Thresholds, and the alerts that they raise."""
