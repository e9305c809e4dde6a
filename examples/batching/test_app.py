"""Batching is tested with a clock that the test holds: no sleeps, the same result each time."""

import pytest
from examples.batching import app

import maas


def test_a_batch_is_held_for_its_window() -> None:
    with maas.TestClient(app, manual_clock=True) as client:
        first = client.submit("/score", point=[1, 1])
        client.advance(0.015)
        second = client.submit("/score", point=[2, 2])
        assert not first.done
        client.advance(0.005)  # 20 ms after the first request
        assert first.result() == {"score": 1.0, "batch": 2}
        assert second.result() == {"score": 2.0, "batch": 2}


def test_a_full_batch_is_not_held() -> None:
    with maas.TestClient(app, manual_clock=True) as client:
        calls = [client.submit("/score", point=[n, n]) for n in range(4)]
        assert [call.result() for call in calls] == [
            {"score": float(n), "batch": 4} for n in range(4)
        ]


def test_a_bad_point_leaves_its_neighbour_alone() -> None:
    with maas.TestClient(app, manual_clock=True) as client:
        bad, good = (client.submit("/score", point=[x, 1]) for x in (-1, 1))
        client.advance(0.020)
        assert good.result() == {"score": 1.0, "batch": 2}
        with pytest.raises(maas.UnprocessableError, match="negative"):
            bad.result()


def test_a_caller_that_left_is_in_no_batch() -> None:
    with maas.TestClient(app, manual_clock=True) as client:
        left, stays = (client.submit("/score", point=[1, 1]) for _ in range(2))
        left.cancel()
        client.advance(0.020)
        assert stays.result()["batch"] == 1


def test_counting_ends_at_its_goal() -> None:
    with maas.TestClient(app) as client:
        assert client.call("/count", to=1000) == 1000
