"""Who is calling, what they may do, what was done."""
