"""What it takes to continue a conversation with a model of the Llama family."""
