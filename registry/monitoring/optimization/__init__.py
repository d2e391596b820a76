"""Rules that find what could be better, and what becomes of their recommendations."""
