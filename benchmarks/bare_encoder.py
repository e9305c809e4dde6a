# SPDX-License-Identifier: Apache-2.0
"""The encoder without a server: python bare_encoder.py MODEL.pt TEXTS.json WORKLOAD SECONDS ROWS.

Calls the frozen module on batches that were padded beforehand: the texts sorted by length, ROWS at
a time. Prints texts per second and per CPU second as JSON. No server can be expected to pass it.
"""

import json
import pathlib
import sys
import time

import torch


def batches(texts: list[list[int]], rows: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Token ids and masks of neighbours in length."""
    texts = sorted(texts, key=len)
    made = []
    for at in range(0, len(texts), rows):
        some = texts[at : at + rows]
        width = max(map(len, some))
        ids = torch.tensor([text + [0] * (width - len(text)) for text in some])
        lengths = torch.tensor([[len(text)] for text in some])
        made.append((ids, (torch.arange(width) < lengths).long()))
    return made


def main() -> None:
    """Warm up, run for the given time, print."""
    model, texts, workload, seconds, rows = sys.argv[1:]
    torch.set_num_threads(1)
    net = torch.jit.freeze(torch.jit.load(model).eval())
    ready = batches(json.loads(pathlib.Path(texts).read_text())[workload]["ids"], int(rows))
    with torch.inference_mode():
        for _ in range(3):
            for batch in ready:
                net(*batch)
        count, cpu, start = 0, time.process_time(), time.perf_counter()
        while time.perf_counter() - start < float(seconds):
            for batch in ready:
                net(*batch)
                count += len(batch[0])
        used, took = time.process_time() - cpu, time.perf_counter() - start
    print(json.dumps({"per_second": count / took, "per_cpu_second": count / used}))


if __name__ == "__main__":
    main()
