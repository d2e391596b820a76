"""Security policies: what may leave and what may be stored, decided from rules and recorded."""
