"""Logs as one JSON object a line, ready for any collector."""

import logging
from datetime import UTC, datetime

import orjson

from intmod_site.request_context import current_request_id


class JSONFormatter(logging.Formatter):
    """Writes time, level, logger, message, request id and the record's `fields`, if any."""

    def format(self, record: logging.LogRecord) -> str:
        """Give one line; an exception's trace is one string in it."""
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": current_request_id(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()
