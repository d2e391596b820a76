"""The outside world: calling it, being called by it, durable work."""
