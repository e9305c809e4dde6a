# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the fuzzers, out of the case files: fuzz_seeds.py FOLDER."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "data" / "http_cases"
LONGEST = 8192


def requests() -> dict[str, bytes]:
    """The bytes of each case that is not long, by its name."""
    found = {}
    for path in sorted(CASES.glob("*.json")):
        for case in json.loads(path.read_text(encoding="utf-8")):
            pieces = case.get("pieces") or [{"text": case.get("request", "")}]
            text = "".join(piece["text"] * piece.get("times", 1) for piece in pieces)
            if 0 < len(text) <= LONGEST:
                found[f"{path.stem}-{case['name']}"] = text.encode("latin-1")
    return found


def seeds() -> dict[str, dict[str, bytes]]:
    """By fuzzer and name."""
    made: dict[str, dict[str, bytes]] = {"request_head": {}, "chunked_body": {}, "url_decoding": {}}
    for name, request in requests().items():
        made["request_head"][name] = request
        head, _, body = request.partition(b"\r\n\r\n")
        if b"chunked" in head.lower() and body:
            made["chunked_body"][name] = body
        words = head.split(b"\r\n")[0].split(b" ")
        if len(words) == 3:
            made["url_decoding"][name] = words[1]
    return made


def main() -> None:
    """Writes each seed as a file FOLDER/FUZZER/NAME."""
    folder = Path(sys.argv[1])
    for fuzzer, named in seeds().items():
        (folder / fuzzer).mkdir(parents=True, exist_ok=True)
        for name, seed in named.items():
            (folder / fuzzer / name).write_bytes(seed)


if __name__ == "__main__":
    main()
