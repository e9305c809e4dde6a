# SPDX-License-Identifier: Apache-2.0
"""The exceptions of maas, and the one table from an error code of the core to its class.

Exception
+-- Error                      every failure; code, status, message, detail, request_id
    +-- InvalidArgumentError   400  malformed, or wrong use of the library
    |   +-- ConfigError             a setting is unknown, misspelt or out of range
    |   +-- TargetError             what was named cannot be served
    +-- UnauthorizedError      401
    +-- ForbiddenError         403
    +-- NotFoundError          404
    +-- ConflictError          409  it is no longer, or not, as the caller believed
    +-- AlreadyExistsError     409
    +-- TooLargeError          413
    +-- UnprocessableError     422  understood, but a value breaks the declared schema
    +-- CancelledError         499  the client left
    +-- InternalError          500  a handler or the core failed
    |   +-- BatchLengthError        a batched handler answered another number of items
    +-- OverloadedError        503  a bound was reached; try again later
    +-- UnavailableError       503  not ready, or no server there
    +-- DeadlineExceededError  504
"""

import json
from typing import Any, ClassVar


class Error(Exception):
    """A failure with one clear sentence, and the HTTP status it is answered with.

    Raise it in a handler to answer a status of your choice: ``raise maas.Error(404, "no user 5")``.
    The first argument is an HTTP status or one of the core's codes, such as ``"not_found"``.
    """

    code: str = "internal"
    status: int = 500

    def __init__(
        self,
        status_or_code: int | str,
        message: str,
        *,
        detail: list[dict[str, Any]] | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail or []
        self.request_id = request_id
        if isinstance(status_or_code, str):
            found = class_of_code(status_or_code)
            self.code, self.status = status_or_code, found.status
        else:
            self.code, self.status = class_of_status(status_or_code).code, status_or_code


class _CodedError(Error):
    """An error whose class says its code: it takes the message alone."""

    def __init__(
        self,
        message: str,
        *,
        detail: list[dict[str, Any]] | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(self.code, message, detail=detail, request_id=request_id)


class InvalidArgumentError(_CodedError):
    """It can never be understood: a malformed request, or wrong use of the library."""

    code, status = "invalid_argument", 400


class ConfigError(InvalidArgumentError):
    """A setting is unknown, misspelt or out of range."""


class TargetError(InvalidArgumentError):
    """What was named cannot be served."""


class UnprocessableError(_CodedError):
    """Understood, but a value breaks the declared schema; ``detail`` says which and why."""

    code, status = "unprocessable", 422


class NotFoundError(_CodedError):
    """A file, model, endpoint or name is not there."""

    code, status = "not_found", 404


class AlreadyExistsError(_CodedError):
    """A name, a path or a port is taken."""

    code, status = "already_exists", 409


class ConflictError(_CodedError):
    """It is no longer, or not, as the caller believed: read it again, then decide."""

    code, status = "conflict", 409


class UnauthorizedError(_CodedError):
    """The request does not say who sends it."""

    code, status = "unauthorized", 401


class ForbiddenError(_CodedError):
    """The sender may not do this."""

    code, status = "forbidden", 403


class TooLargeError(_CodedError):
    """A body is larger than the server takes."""

    code, status = "too_large", 413


class OverloadedError(_CodedError):
    """A bound was reached, such as a full queue; try again later."""

    code, status = "overloaded", 503


class DeadlineExceededError(_CodedError):
    """The time limit passed before there was an answer."""

    code, status = "deadline_exceeded", 504


class CancelledError(_CodedError):
    """The caller left before there was an answer."""

    code, status = "cancelled", 499


class UnavailableError(_CodedError):
    """The server is not ready, is draining, or cannot be reached."""

    code, status = "unavailable", 503


class InternalError(_CodedError):
    """A handler or the core failed; the log has the cause under the same request id."""

    code, status = "internal", 500


class BatchLengthError(InternalError):
    """A batched handler answered another number of items than it was given."""


class _Table:
    """Code to class, for every code of the core; tests hold it against the core's own list."""

    by_code: ClassVar[dict[str, type[_CodedError]]] = {
        cls.code: cls
        for cls in (
            InvalidArgumentError,
            UnprocessableError,
            NotFoundError,
            ConflictError,
            AlreadyExistsError,
            UnauthorizedError,
            ForbiddenError,
            TooLargeError,
            OverloadedError,
            DeadlineExceededError,
            CancelledError,
            UnavailableError,
            InternalError,
        )
    }
    # Of two codes with one status the later stands for it: 503 alone says "unavailable".
    by_status: ClassVar[dict[int, type[_CodedError]]] = {c.status: c for c in by_code.values()}


def class_of_code(code: str) -> type[_CodedError]:
    """The class of one of the core's codes; what is unknown is an internal error."""
    return _Table.by_code.get(code, InternalError)


def class_of_status(status: int) -> type[_CodedError]:
    """The class of an HTTP status; other 4xx are wrong arguments, all else is internal."""
    if status in _Table.by_status:
        return _Table.by_status[status]
    return InvalidArgumentError if 400 <= status < 500 else InternalError


def known_codes() -> list[str]:
    """Every code that has a class."""
    return list(_Table.by_code)


def from_core(error: BaseException) -> Error:
    """The public error of an exception that the core raised."""
    if isinstance(error, Error):
        return error
    if len(error.args) != 4:
        return InternalError(str(error) or type(error).__name__)
    code, status, message, detail = error.args
    made = class_of_code(code)(message, detail=json.loads(detail) if detail else None)
    made.status = status or made.status
    return made


def from_response(status: int, message: str, **about: Any) -> Error:
    """The public error of an answer with this HTTP status."""
    made = class_of_status(status)(message, **about)
    made.status = status
    return made
