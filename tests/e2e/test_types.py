"""Types at the edge over real sockets: what curl sends, and what comes back."""

import http.client
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
import sklearn.datasets
import torch
from pandas.testing import assert_frame_equal
from PIL import Image
from server_process import Process

import maas

APP = """
from typing import Annotated, Any

import numpy as np
import pandas as pd
import torch
from PIL import Image

import maas


@maas.endpoint("/size")
def size(image: Image.Image, note: str = "") -> dict[str, Any]:
    return {"size": image.size, "format": image.format, "note": note}


@maas.endpoint("/sizes", max_batch_size=8, batch_timeout_ms=5)
def sizes(image: Image.Image, n: int = 0) -> Any:
    assert isinstance(image, list)
    return [[*one.size, k] for one, k in zip(image, n)]


@maas.endpoint("/mirror")
def mirror(image: Image.Image) -> Image.Image:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


@maas.endpoint("/files")
def files(docs: list[maas.File], labels: list[str]) -> Any:
    return [[doc.name, doc.content_type, doc.open().read().hex()] for doc in docs] + labels


@maas.endpoint("/reverse")
def reverse(data: bytes) -> bytes:
    return data[::-1]


@maas.endpoint("/same")
def same(file: maas.File) -> maas.File:
    return file


@maas.endpoint("/head")
def head(table: pd.DataFrame, rows: int = 5) -> pd.DataFrame:
    return table.head(rows)


Measures = maas.Columns({"sepal": "float64", "kind": "str"})


@maas.endpoint("/mean")
def mean(table: Annotated[pd.DataFrame, Measures]) -> dict[str, float]:
    return table.groupby("kind")["sepal"].mean().to_dict()


Pair = Annotated[torch.Tensor, maas.Tensor("float32", [2])]


@maas.endpoint("/tensor")
def tensor(x: Pair, y: torch.Tensor) -> torch.Tensor:
    return torch.nn.Parameter(x) + y


@maas.endpoint("/text")
def text(text: str) -> str:
    return text
"""

FLOWER = Path(sklearn.datasets.__file__).parent / "images" / "flower.jpg"
JPEG = FLOWER.read_bytes()
IRIS: pd.DataFrame = sklearn.datasets.load_iris(as_frame=True).frame


class Raw:
    """Requests as they are, with nothing added."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port or 0, timeout=60
        )

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, str, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request("POST", path, body, named)
        answer = self._connection.getresponse()
        return answer.status, answer.getheader("Content-Type") or "", answer.read()

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder = tmp_path_factory.mktemp("types")
    (folder / "types_app.py").write_text(APP)
    process = Process([str(folder / "types_app.py")], folder)
    process.wait_for("serving http://")
    yield process
    process.end()


@pytest.fixture
def raw(server: Process) -> Iterator[Raw]:
    made = Raw(server.url)
    yield made
    made.close()


def form(*parts: tuple[str, bytes]) -> bytes:
    """A multipart body of parts that bring their own fields, boundary "B"."""
    body = b"".join(
        b"--B\r\n" + fields.encode() + b"\r\n\r\n" + data + b"\r\n" for fields, data in parts
    )
    return body + b"--B--\r\n"


def named(name: str, rest: str = "") -> str:
    return f'Content-Disposition: form-data; name="{name}"{rest}'


FORM = "multipart/form-data; boundary=B"


def test_a_photograph_is_a_body_a_part_or_base64(raw: Raw) -> None:
    expected = {"size": [640, 427], "format": "JPEG", "note": "a b"}
    upload = (named("image", '; filename="flower.jpg"\r\nContent-Type: image/jpeg'), JPEG)
    as_json = json.dumps({"image": maas.files.to_base64(JPEG), "note": "a b"}).encode()
    for path, body, kind in (
        ("/size?note=a+b", JPEG, "image/jpeg"),
        ("/size", form(upload, (named("note"), b"a b")), FORM),
        ("/size", as_json, "application/json"),
    ):
        status, _, answer = raw.post(path, body, Content_Type=kind)
        assert (status, json.loads(answer)) == (200, expected)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (JPEG[: len(JPEG) // 2], "image/jpeg", 422),
        (b"no image", "image/png", 422),
        (b"", "image/png", 422),
        (JPEG, "video/mp4", 415),
        (JPEG, "multipart/form-data", 400),
        (b"--B\r\nbroken", FORM, 400),
        (form((named("image"), b"!")), FORM, 422),
        (form((named("other"), b"1")), FORM, 422),
    ],
)
def test_what_is_no_image_is_refused_and_the_connection_goes_on(
    raw: Raw, body: bytes, kind: str, status: int
) -> None:
    got, _, answer = raw.post("/size", body, Content_Type=kind)
    assert got == status, answer
    if status == 422:
        assert json.loads(answer)["detail"][0]["loc"][0] == "body"
    if status == 415:
        assert "image/*" in json.loads(answer)["error"]
    assert raw.post("/size", JPEG, Content_Type="image/jpeg")[0] == 200


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("*/*", "png"), ("image/webp", "webp"), ("image/*;q=0.5, image/jpeg", "jpeg")],
)
def test_an_image_comes_back_in_the_form_that_is_accepted(raw: Raw, accept: str, kind: str) -> None:
    status, content_type, body = raw.post("/mirror", JPEG, Content_Type="image/jpeg", Accept=accept)
    assert (status, content_type) == (200, f"image/{kind}")
    image = Image.open(io.BytesIO(body))
    assert (image.format, image.size) == (kind.upper(), (640, 427))


def test_images_share_a_batch_and_a_broken_one_fails_alone(server: Process) -> None:
    def call(n: int) -> tuple[int, Any]:
        made = Raw(server.url)
        try:
            data = JPEG[:900] if n == 3 else JPEG
            status, _, answer = made.post(f"/sizes?n={n}", data, Content_Type="image/jpeg")
            return status, json.loads(answer)
        finally:
            made.close()

    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(call, range(8)))
    assert [status for status, _ in answers] == [422 if n == 3 else 200 for n in range(8)]
    assert [answer for n, (_, answer) in enumerate(answers) if n != 3] == [
        [640, 427, n] for n in range(8) if n != 3
    ]


def test_files_of_one_name_are_a_list(raw: Raw) -> None:
    every_byte = bytes(range(256)) + b"\r\n--A\r\n"
    body = form(
        (named("docs", '; filename="é.bin"'), every_byte),
        (named("labels"), b"one"),
        (named("docs", '; filename="b.txt"\r\nContent-Type: text/plain'), b""),
        (named("labels"), "zwölf".encode()),
    )
    status, _, answer = raw.post("/files", body, Content_Type=FORM)
    assert status == 200, answer
    assert json.loads(answer) == [
        ["é.bin", "application/octet-stream", every_byte.hex()],
        ["b.txt", "text/plain", ""],
        "one",
        "zwölf",
    ]


def test_bytes_and_files_are_any_body(raw: Raw) -> None:
    data = bytes(range(256)) * 5000
    assert raw.post("/reverse", data, Content_Type="application/x-own") == (
        200,
        "application/octet-stream",
        data[::-1],
    )
    assert raw.post("/same", data, Content_Type="audio/wav") == (200, "audio/wav", data)


def test_a_table_is_json_csv_or_arrow_in_both_directions(raw: Raw) -> None:
    media = maas.tables.TableMedia()
    for kind in media.gives:
        data = maas.tables.encode(IRIS, kind)
        if data is None:
            split = kind.endswith("split")
            value = maas.tables.split(IRIS) if split else maas.tables.records(IRIS)
            data = json.dumps({"table": value, "rows": 150}).encode()
        content_type = kind.partition(";")[0]
        status, got_type, body = raw.post(
            "/head?rows=150", data, Content_Type=content_type, Accept=kind
        )
        assert (status, got_type) == (200, content_type)
        answered = (
            media.from_json(json.loads(body))
            if content_type == "application/json"
            else media.from_file(maas.File(body, content_type=got_type))
        )
        assert_frame_equal(answered, IRIS)


def test_the_columns_of_a_table_are_checked(raw: Raw) -> None:
    status, _, answer = raw.post("/mean", b"sepal,kind\n1.5,a\n2.5,a\n", Content_Type="text/csv")
    assert (status, json.loads(answer)) == (200, {"a": 2.0})
    status, _, answer = raw.post("/mean", b"sepal,sort\nx,a\n", Content_Type="text/csv")
    assert status == 422
    assert [item["loc"] for item in json.loads(answer)["detail"]] == [
        ["body", "table", "sort"],
        ["body", "table", "sepal"],
        ["body", "table", "kind"],
    ]


def test_an_endpoint_of_json_alone_takes_nothing_else(raw: Raw) -> None:
    for kind in (FORM, "text/plain", "application/x-www-form-urlencoded"):
        status, _, answer = raw.post("/text", b"text=a", Content_Type=kind)
        assert status == 415
        assert "send application/json" in json.loads(answer)["error"]


def test_the_client_sends_whatever_a_handler_takes(server: Process) -> None:
    client = server.client()
    endpoints = client.endpoints
    image = Image.open(FLOWER)
    assert client.call("/size", image=image)["size"] == [640, 427]
    assert endpoints.size(maas.File(JPEG, "f.jpg"), note="n") == {
        "size": [640, 427],
        "format": "JPEG",
        "note": "n",
    }
    tensor = torch.tensor([1.0, 2.0])
    assert endpoints.tensor(x=np.ones(2, np.float32), y=tensor) == [2.0, 3.0]
    assert endpoints.reverse(data=b"abc") == b"cba"
    assert_frame_equal(pd.DataFrame(endpoints.head(table=IRIS, rows=3)), IRIS.head(3))
    assert endpoints.files(docs=[b"a"], labels=["x"])[-1] == "x"
    assert endpoints.mirror(image).startswith(b"\x89PNG")


def test_the_documentation_shows_forms_and_media(server: Process) -> None:
    document = server.client().request("GET", "/openapi.json")
    operation = document["paths"]["/head"]["post"]
    assert "text/csv" in operation["requestBody"]["content"]
    assert "multipart/form-data" in operation["requestBody"]["content"]
    assert "rows" in [item.get("name") for item in operation["parameters"]]
    assert "text/csv" in operation["responses"]["200"]["content"]


def test_a_body_that_is_too_large_is_413(serve: Callable[..., Process], tmp_path: Path) -> None:
    (tmp_path / "types_app.py").write_text(APP)
    small = Raw(serve(tmp_path / "types_app.py", "--max-body-bytes", "1000").url)
    try:
        assert small.post("/size", JPEG, Content_Type="image/jpeg")[0] == 413
    finally:
        small.close()
