"""The one guarded way out to the network.

`client` sends, `guard` decides where calls may go, `retry` says when to try again.
Nothing here imports Django, so that every part can be used and tested alone.
"""
