"""The first five minutes: a project, a key, local models, and one real call of each kind."""
