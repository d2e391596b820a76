"""Models from one installation to another: a manifest that is written, read, and fetched."""
