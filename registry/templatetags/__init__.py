"""What templates show of models and their calls."""
