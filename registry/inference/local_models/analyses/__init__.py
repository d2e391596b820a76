"""What can be said about a text without a language model; one file for each analysis."""
