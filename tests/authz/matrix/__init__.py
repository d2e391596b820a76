"""Who gets what answer where: every route, every method, every role, in `matrix.txt`."""
