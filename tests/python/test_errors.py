# SPDX-License-Identifier: Apache-2.0
import pytest

from maas import _core, errors
from maas.errors import Error


def test_every_code_of_the_core_has_its_own_class() -> None:
    codes = _core.error_codes()
    assert sorted(errors.known_codes()) == sorted(codes)
    assert len({errors.class_of_code(code) for code in codes}) == len(codes)
    assert all(errors.class_of_code(code).code == code for code in codes)


def test_an_error_made_of_a_status_keeps_it_and_finds_its_code() -> None:
    error = Error(422, "the image is empty")
    assert (error.status, error.code, error.message) == (422, "unprocessable", "the image is empty")
    assert str(error) == "the image is empty"


def test_an_error_made_of_a_code_finds_its_status() -> None:
    error = Error("not_found", "no user 5")
    assert (error.status, error.code) == (404, "not_found")


def test_a_status_without_a_code_of_its_own_is_kept() -> None:
    assert (Error(418, "teapot").status, Error(418, "teapot").code) == (418, "invalid_argument")
    assert (Error(507, "full").status, Error(507, "full").code) == (507, "internal")


def test_a_class_says_its_code_and_takes_the_message_alone() -> None:
    error = errors.NotFoundError("no user 5", detail=[{"loc": ["body"], "msg": "m", "type": "t"}])
    assert (error.status, error.code) == (404, "not_found")
    assert error.detail[0]["loc"] == ["body"]
    assert isinstance(error, Error)


def test_an_error_of_the_core_becomes_the_class_of_its_code() -> None:
    detail = '[{"loc":["body","x"],"msg":"m","type":"t"}]'
    error = errors.from_core(_core.CoreError("unprocessable", 0, "x is bad", detail))
    assert isinstance(error, errors.UnprocessableError)
    assert error.status == 422
    assert error.detail == [{"loc": ["body", "x"], "msg": "m", "type": "t"}]


def test_a_status_that_the_core_names_wins_over_that_of_the_code() -> None:
    assert errors.from_core(_core.CoreError("internal", 507, "full", "")).status == 507


def test_a_public_error_passes_from_core_unchanged() -> None:
    error = errors.NotFoundError("x")
    assert errors.from_core(error) is error


def test_what_is_no_error_of_the_core_is_internal() -> None:
    error = errors.from_core(ValueError("boom"))
    assert isinstance(error, errors.InternalError)
    assert error.message == "boom"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, errors.InvalidArgumentError),
        (404, errors.NotFoundError),
        (418, errors.InvalidArgumentError),
        (422, errors.UnprocessableError),
        (500, errors.InternalError),
        (503, errors.UnavailableError),
        (504, errors.DeadlineExceededError),
        (599, errors.InternalError),
    ],
)
def test_an_answer_raises_the_class_of_its_status(status: int, expected: type[Error]) -> None:
    error = errors.from_response(status, "message", request_id="r1")
    assert type(error) is expected
    assert (error.status, error.request_id) == (status, "r1")


def test_the_tree_at_the_head_names_every_class() -> None:
    text = errors.__doc__ or ""
    classes = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, Error)]
    assert all(cls.__name__ in text for cls in classes if not cls.__name__.startswith("_"))
