"""The HTTP methods of the API."""

SERVED_METHODS = ["get", "head", "post", "put", "patch", "delete"]
"""What Django's views may be asked; OPTIONS would answer with texts that no schema describes."""
