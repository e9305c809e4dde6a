"""Every example is served by the command that its README gives, and answers."""

import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.datasets
from PIL import Image
from server_process import ROOT, Process
from websockets.sync.client import connect

import maas

IMAGE = json.loads((ROOT / "examples/quickstart/image.json").read_text())


def test_the_quick_start_app_is_at_most_fifteen_lines() -> None:
    assert len((ROOT / "examples/quickstart/app.py").read_text().splitlines()) <= 15


def test_training_prints_the_held_out_figures_and_saves_a_good_model(tmp_path: Path) -> None:
    train = ROOT / "examples/quickstart/train.py"
    output = tmp_path / "digits.pt"
    done = subprocess.run(
        [sys.executable, str(train), "--output", str(output)],
        check=True,
        capture_output=True,
        text=True,
    )
    figures = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert output.exists()
    for name in ("accuracy", "precision", "recall", "F1"):
        assert float(figures[name].split()[0]) > 0.95


@pytest.mark.usefixtures("digits")
def test_quick_start_answers_as_the_readme_says(serve: Callable[..., Process]) -> None:
    client = serve(ROOT / "examples/quickstart/app.py").client()
    answer = client.call("/classify", **IMAGE)
    assert answer["label"] == 7
    assert len(answer["probabilities"]) == 10
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)
    shown = re.search(r'^{"label".*}$', (ROOT / "README.md").read_text(), re.MULTILINE)
    assert shown
    readme = json.loads(shown[0])
    assert readme["label"] == answer["label"]
    assert readme["probabilities"] == pytest.approx(answer["probabilities"], abs=1e-3)


@pytest.mark.usefixtures("digits")
def test_quick_start_model_answers_the_inference_protocol(serve: Callable[..., Process]) -> None:
    client = serve(ROOT / "examples/quickstart/app.py").client()
    image = np.array(IMAGE["image"], np.float32)[None] / 16
    logits = client.infer("digits", {"image": image})["logits"]
    assert np.asarray(logits).shape == (1, 10)
    assert int(np.argmax(logits)) == 7


@pytest.mark.usefixtures("digits")
def test_python_handlers_answer_and_share_the_native_model(serve: Callable[..., Process]) -> None:
    client = serve(ROOT / "examples/python_handlers/app.py").client()
    assert client.call("/words", text="a plain Python function") == ["function", "Python", "plain"]
    assert client.call("/headline", text="a plain Python function") == "Function Python Plain"
    answer = client.call("/even", **IMAGE)
    assert answer["even"] is False
    assert answer["probability"] < 0.5


def test_the_batching_example_answers_and_its_own_tests_pass(serve: Callable[..., Process]) -> None:
    client = serve(ROOT / "examples/batching/app.py").client()
    assert client.call("/score", point=[1, 2]) == {"score": 1.25, "batch": 1}
    assert client.call("/count", to=10) == 10
    command = [sys.executable, "-m", "pytest", "-q", "examples/batching"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_workers_example_answers_and_survives_a_crash(serve: Callable[..., Process]) -> None:
    client = serve(ROOT / "examples/workers/app.py").client()
    assert client.call("/count_primes", below=100) == 25
    greeting = client.call("/greet", name="you")
    assert greeting["text"] == "Hello, you"
    with pytest.raises(maas.UnavailableError, match="Segmentation fault"):
        client.call("/crash")
    assert client.call("/greet", name="again")["text"] == "Hello, again"


def test_the_pipeline_example_is_fitted_and_answers(
    tmp_path: Path, serve: Callable[..., Process]
) -> None:
    folder = ROOT / "examples/pipeline"
    assert_short("pipeline")
    train = [sys.executable, str(folder / "train.py"), "--output", str(tmp_path)]
    done = subprocess.run(train, check=True, capture_output=True, text=True)
    assert float(done.stdout.split()[1]) > 0.9
    shutil.copy(folder / "app.py", tmp_path)
    client = serve(tmp_path / "app.py").client()
    assert client.call("/classify", **IMAGE) == {"label": 7}
    assert client.call("/is_even", **IMAGE) is False
    image = np.array(IMAGE["image"], np.float32)[None] / 16
    answer = client.infer("digits", {"image": image})
    assert np.asarray(answer["components"]).shape == (1, 16)
    alone = client.infer("classifier", {"components": np.asarray(answer["components"], np.float32)})
    np.testing.assert_array_equal(alone["logits"], answer["logits"])


def test_the_images_example_answers_as_its_readme_says(serve: Callable[..., Process]) -> None:
    assert_short("images")
    client = serve(ROOT / "examples/images/app.py").client()
    photos = Path(sklearn.datasets.__file__).parent / "images"
    flower = Image.open(photos / "flower.jpg")
    first, second = client.endpoints.colours(image=flower, count=2)
    assert 1 > first["share"] >= second["share"] > 0
    small = client.call("/thumbnail", image=flower, size=64)
    assert Image.open(io.BytesIO(small)).size == (64, 43)
    with pytest.raises(maas.UnprocessableError, match="between 1 and 1024"):
        client.call("/thumbnail", image=flower, size=0)
    uploads = [
        maas.File((photos / name).read_bytes(), name) for name in ("china.jpg", "flower.jpg")
    ]
    answer = client.call("/album", photos=uploads, title="Trip")
    assert answer == {
        "title": "Trip",
        "photos": 2,
        "bytes": sum(len(upload.data) for upload in uploads),
    }


def test_the_tables_example_answers_as_its_readme_says(serve: Callable[..., Process]) -> None:
    assert_short("tables")
    client = serve(ROOT / "examples/tables/app.py").client()
    data = sklearn.datasets.load_iris()
    names = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    answer = client.endpoints.classify(flowers=pd.DataFrame(data.data, columns=names))
    right = [
        row["kind"] == data.target_names[n] for row, n in zip(answer, data.target, strict=True)
    ]
    assert sum(right) / len(right) > 0.95
    with pytest.raises(maas.UnprocessableError, match="sepal_width"):
        client.call("/classify", flowers=pd.DataFrame({"sepal_length": [1.0]}))
    figures = client.call("/describe", table=pd.DataFrame({"a": [1, 3]}))
    assert {row["figure"]: row["a"] for row in figures}["mean"] == 2
    assert client.ready()


def assert_short(example: str) -> None:
    folder = ROOT / "examples" / example
    assert len((folder / "app.py").read_text().splitlines()) <= 60
    assert len((folder / "README.md").read_text().splitlines()) <= 20


def test_the_streaming_example_sends_its_items(serve: Callable[..., Process]) -> None:
    process = serve(ROOT / "examples/streaming/app.py")
    client = process.client()
    assert list(client.stream("/words", text="one by one")) == ["one", "by", "one"]
    with pytest.raises(maas.UnprocessableError, match="no words"):
        client.stream("/words", text="")
    assert list(client.stream("/countdown", start=3)) == [3, 2, 1, 0]
    found = client.stream("/countdown", start=1000)
    assert next(found) == 1000
    found.close()
    process.wait_for("countdown is over")
    assert list(client.stream("/squares", start=3, count=2)) == [9, 16]


def test_the_mount_example_serves_the_application_beside_its_endpoint(
    serve: Callable[..., Process],
) -> None:
    process = serve(ROOT / "examples/mount/app.py")
    client = process.client()
    assert client.call("/length", text="four") == 4
    _, headers, body = client.exchange("GET", "/web/greet/you", [], b"")
    assert json.loads(body) == {"text": "hello, you", "at": "/web/greet/you"}
    assert dict(headers)["x-served-by"] == "the application"
    assert client.exchange("GET", "/web/lines", [], b"")[2] == b"0\n1\n2\n"
    with connect(process.url.replace("http", "ws") + "/web/echo") as websocket:
        websocket.send("shout")
        assert websocket.recv() == "SHOUT"


def test_every_block_of_code_in_the_guide_is_from_an_example_that_is_run() -> None:
    sources = [path.read_text() for path in sorted((ROOT / "examples").rglob("*.py"))]
    pages = sorted((ROOT / "docs/guide").glob("*.md"))
    assert pages
    for page in pages:
        blocks = re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
        unknown = [block for block in blocks if not any(block in source for source in sources)]
        assert not unknown, f"{page.name}: {unknown[0]}"
