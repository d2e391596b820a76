"""The top floor: which models exist, how well they do, calling them."""
