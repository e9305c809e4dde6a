# SPDX-License-Identifier: Apache-2.0
from typing import Any

import numpy as np
import pytest

import maas
from maas import ops

SCORES = np.array([[1.0, 3.0, 2.0], [0.0, 0.0, -1.0]], np.float32)


def close(found: Any, expected: Any) -> bool:
    return bool(np.allclose(found, expected, atol=1e-6))


def test_scale_multiplies_and_shifts() -> None:
    assert close(ops.scale(0.5, 1.0)(SCORES), SCORES * 0.5 + 1)


def test_scale_takes_the_bytes_of_an_image() -> None:
    assert close(ops.scale(1 / 16)(np.array([[16, 8]], np.uint8)), [[1.0, 0.5]])


def test_softmax_adds_up_to_one() -> None:
    expected = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
    assert close(ops.softmax()(SCORES), expected)


def test_argmax_takes_the_first_of_equals() -> None:
    assert ops.argmax()(SCORES).tolist() == [1, 0]


def test_l2_normalise_gives_rows_of_length_one() -> None:
    assert close(ops.l2_normalise()(np.array([[3.0, 4.0]])), [[0.6, 0.8]])


def test_mean_pool_leaves_masked_tokens_out() -> None:
    tokens = np.array([[[1, 1], [3, 5], [9, 9]]], np.float32)
    assert close(ops.mean_pool("mask")(tokens, mask=np.array([[1, 1, 0]])), [[2, 3]])


def test_normalise_puts_channels_first() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
    found = ops.normalise([0.5, 0.5, 0.5], [0.25, 0.25, 0.25])(image)
    assert close(found, ((image / 255 - 0.5) / 0.25).transpose(0, 3, 1, 2))


def test_top_k_names_the_best_first() -> None:
    found = ops.top_k(2, ["a", "b", "c"])(SCORES)
    assert found[0] == [{"label": "b", "score": 3.0}, {"label": "c", "score": 2.0}]


def test_top_k_without_labels_gives_indices_and_one_row_gives_one_list() -> None:
    assert ops.top_k(1)(SCORES[0]) == [{"label": 1, "score": 3.0}]


def test_wider_floats_are_taken_as_the_float32_of_serving() -> None:
    assert ops.softmax()(SCORES.astype(np.float64)).dtype == np.float32


def test_top_k_works_on_scores_alone() -> None:
    with pytest.raises(maas.InvalidArgumentError, match="takes the scores alone"):
        ops.top_k(1)(SCORES, mask=SCORES)
    with pytest.raises(maas.InvalidArgumentError, match="the last op of post"):
        ops.top_k(1).core()


def test_ops_are_values_that_show_what_they_do() -> None:
    assert ops.scale(0.5) == ops.scale(0.5)
    assert ops.top_k(3, ["a"]) != ops.top_k(3, ["b"])
    assert "softmax" in repr(ops.softmax())


def test_an_array_that_an_op_cannot_take_is_refused_by_name() -> None:
    with pytest.raises(maas.InvalidArgumentError, match="normalise"):
        ops.normalise([0.5], [0.5])(np.zeros((2, 2), np.float32))


@pytest.mark.parametrize("k", [0, -1, 1.5, True, "3"])
def test_top_k_needs_a_positive_number(k: Any) -> None:
    with pytest.raises(maas.InvalidArgumentError, match="top_k needs a positive"):
        ops.top_k(k)


def test_one_mean_and_one_std_for_each_channel() -> None:
    with pytest.raises(maas.InvalidArgumentError, match="one mean and one std"):
        ops.normalise([0.5, 0.5], [0.25])


@pytest.mark.parametrize("pre", [3, [3], [ops.top_k(1)], [ops.output("y")], ["softmax"]])
def test_pre_is_a_list_of_ops_on_tensors(pre: Any) -> None:
    with pytest.raises(maas.InvalidArgumentError, match="pre "):
        ops.checked_pre(pre)


@pytest.mark.parametrize(
    ("post", "words"),
    [
        ({}, "post is empty"),
        ({"": ops.softmax()}, "fields of post are names"),
        ({"a": "softmax"}, r"post\['a'\] holds ops"),
        ([ops.softmax(), 3], "post holds ops"),
        ([ops.softmax(), ops.output("y")], "stands first"),
        ([ops.top_k(1), ops.softmax()], "stands last"),
    ],
)
def test_post_is_checked_when_it_is_written(post: Any, words: str) -> None:
    with pytest.raises(maas.InvalidArgumentError, match=words):
        ops.checked_post(post)


def test_post_is_a_chain_or_a_chain_for_each_field() -> None:
    softmax, best = ops.softmax(), ops.top_k(2)
    assert ops.checked_post([softmax, best]) == (softmax, best)
    assert ops.checked_post({"p": softmax, "best": [ops.output("y"), best]}) == {
        "p": (softmax,),
        "best": (ops.output("y"), best),
    }
    assert ops.checked_post([]) == ()
