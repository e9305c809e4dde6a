# SPDX-License-Identifier: Apache-2.0
"""One line of log per record, as text or JSON, with the id of the request it belongs to.

The library only writes to the logger "maas"; the command line alone decides where that goes.
"""

import json
import logging
import sys
import time
from typing import IO

logger = logging.getLogger("maas")

# The core's four levels, in its order.
_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)


def core_sink(level: int, message: str, request_id: str) -> None:
    """Takes a record of the core; called on any of its threads."""
    logger.log(_LEVELS[level], "%s", message, extra={"request_id": request_id})


def _timestamp(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"


class TextFormatter(logging.Formatter):
    """Time, level, message, request id; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """The text of one record."""
        # A newline that came with a request must not look like a record of its own.
        message = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        line = f"{_timestamp(record)} {record.levelname.lower():7} {message}"
        if request_id := getattr(record, "request_id", ""):
            line += f" [{request_id}]"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object a record: time, level, message, request_id, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The JSON line of one record."""
        line = {
            "time": _timestamp(record),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if request_id := getattr(record, "request_id", ""):
            line["request_id"] = request_id
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure(log_format: str, *, debug: bool = False, stream: IO[str] | None = None) -> None:
    """Sends the records of maas to a stream, stderr unless told otherwise."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(logging.DEBUG if debug else logging.INFO)
