"""Idempotency-Key: a request that is sent twice is carried out once."""
