"""Which models exist: models, versions, aliases."""
