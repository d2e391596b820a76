"""The configuration revision, and what each process remembers of the configuration."""
