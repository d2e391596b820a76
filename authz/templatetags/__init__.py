"""What templates show of the audit log."""
