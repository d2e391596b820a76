"""Who is calling: credentials, principals, roles and permissions."""
