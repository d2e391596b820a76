"""The endpoints of identity and the audit log."""
