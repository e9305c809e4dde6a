# SPDX-License-Identifier: Apache-2.0
"""One line of log per record, as text or JSON, with the id of the request it belongs to.

The library only writes to the logger "maas"; the command line alone decides where that goes.
"""

import json
import logging
import sys
import time
from collections.abc import Callable
from typing import IO

logger = logging.getLogger("maas")

# The core's four levels, in its order.
_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)


def core_sink(level: int, message: str, request_id: str, trace: str) -> None:
    """Takes a record of the core; called on any of its threads."""
    logger.log(_LEVELS[level], "%s", message, extra={"request_id": request_id, "trace": trace})


class ToServer(logging.Handler):
    """Sends the records of a worker process to its server, whose log they belong to."""

    def __init__(self, send: Callable[[int, str, str, str], None]) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Sends one record."""
        level = sum(record.levelno >= bound for bound in _LEVELS[1:])
        request_id = str(getattr(record, "request_id", ""))
        try:
            self._send(level, record.getMessage(), request_id, _trace(record))
        except Exception:
            self.handleError(record)


def to_server(send: Callable[[int, str, str, str], None], level: int) -> None:
    """In a worker process: the records of maas from `level` on go to the server."""
    logger.handlers[:] = [ToServer(send)]
    logger.propagate = False
    logger.setLevel(level)


def _trace(record: logging.LogRecord) -> str:
    """The traceback of a record, of this process or of the worker that sent it."""
    if record.exc_info:
        return logging.Formatter().formatException(record.exc_info)
    return str(getattr(record, "trace", ""))


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
        if trace := _trace(record):
            line += "\n" + trace
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
        if trace := _trace(record):
            line["traceback"] = trace
        return json.dumps(line, ensure_ascii=False)


def configure(log_format: str, *, debug: bool = False, stream: IO[str] | None = None) -> None:
    """Sends the records of maas to a stream, stderr unless told otherwise."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(logging.DEBUG if debug else logging.INFO)
