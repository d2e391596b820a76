"""Being told by others what happened: signed requests, kept once each, handed on to who listens."""
