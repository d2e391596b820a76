"""How views are guarded: credential, permission, project, idempotency."""
