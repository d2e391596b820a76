"""Models that run in this process, from packages that are installed once.

Importing anything here loads no AI library: libraries and weights are loaded by the first call
that needs them, once per process.
"""
