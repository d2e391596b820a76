"""The gateway in other APIs' shapes, so that their official clients work with it unchanged."""
