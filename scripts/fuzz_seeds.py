# SPDX-License-Identifier: Apache-2.0
"""The seeds of the fuzzers: those of the case files, and what earlier runs found.

fuzz_seeds.py FOLDER       writes each seed as a file FOLDER/FUZZER/NAME
fuzz_seeds.py --keep FROM  takes the files FROM/FUZZER/* as what was found: tests/fuzz/corpus
"""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "data" / "http_cases"
# FUZZER.txt: one input a line, in base64.
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
LONGEST = 8192
FUZZERS = (
    "binary_tensors",
    "chunked_body",
    "json_tensors",
    "protobuf_tensors",
    "request_head",
    "url_decoding",
)
HEADER = "Inference-Header-Content-Length"


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each case with a name."""
    for path in sorted(CASES.glob("*.json")):
        for case in json.loads(path.read_text(encoding="utf-8")):
            yield f"{path.stem}-{case['name']}".replace("/", "_"), case


def requests() -> Iterator[tuple[str, bytes]]:
    """The bytes of each request that is not long."""
    for name, case in cases():
        pieces = case.get("pieces") or [{"text": case.get("request", "")}]
        text = "".join(piece["text"] * piece.get("times", 1) for piece in pieces)
        if 0 < len(text) <= LONGEST:
            yield name, text.encode("latin-1")


def content(parts: Any) -> bytes:
    """The bytes of a body: texts, repetitions, base64; compressed ones as they were."""
    if isinstance(parts, list):
        return b"".join(map(content, parts))
    if isinstance(parts, str):
        return parts.encode()
    if "repeat" in parts:
        return str(parts["repeat"]).encode() * min(int(parts["times"]), LONGEST)
    if "base64" in parts:
        return base64.b64decode(parts["base64"])
    return content(parts.get("gzip", parts.get("deflate", "")))


def calls() -> Iterator[tuple[str, dict[str, Any], bytes]]:
    """Name, header fields and body of each inference."""
    for name, case in cases():
        body = content(case["call"]["body"]) if "call" in case else b""
        if 0 < len(body) <= LONGEST:
            yield name, case["call"]["headers"], body


def of_cases() -> dict[str, dict[str, bytes]]:
    """By fuzzer and name."""
    made: dict[str, dict[str, bytes]] = {name: {} for name in FUZZERS}
    for name, request in requests():
        made["request_head"][name] = request
        head, _, body = request.partition(b"\r\n\r\n")
        if b"chunked" in head.lower() and body:
            made["chunked_body"][name] = body
        words = head.split(b"\r\n")[0].split(b" ")
        if len(words) == 3:
            made["url_decoding"][name] = words[1]
    for name, fields, body in calls():
        length = fields.get(HEADER, "")
        if length.isdecimal() and int(length) < 1 << 16:
            made["binary_tensors"][name] = int(length).to_bytes(2, "little") + body
        else:
            made["json_tensors"][name] = body
    return made


def write(folder: Path) -> None:
    """The seeds, for libFuzzer to read."""
    for fuzzer, named in of_cases().items():
        kept = CORPUS / f"{fuzzer}.txt"
        lines = kept.read_text().split() if kept.exists() else []
        named.update({f"kept-{i}": base64.b64decode(line) for i, line in enumerate(lines)})
        (folder / fuzzer).mkdir(parents=True, exist_ok=True)
        for name, seed in named.items():
            (folder / fuzzer / name).write_bytes(seed)


def keep(found: Path) -> None:
    """Replaces the corpus."""
    for fuzzer in FUZZERS:
        inputs = {path.read_bytes() for path in (found / fuzzer).glob("*")}
        inputs -= set(of_cases()[fuzzer].values())
        lines = sorted((base64.b64encode(item).decode() for item in inputs), key=len)
        (CORPUS / f"{fuzzer}.txt").write_text("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    if sys.argv[1] == "--keep":
        keep(Path(sys.argv[2]))
    else:
        write(Path(sys.argv[1]))
