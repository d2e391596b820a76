"""Telling others what happened, by signed requests to their URLs, until they have it.

`services.publish` writes a message and one delivery for each endpoint that wants it, in the
transaction of what happened; `attempt.attempt` makes one request for one delivery.
"""
