"""Trains a small CNN on scikit-learn's digits; saves it as TorchScript in digits.pt beside it."""

import argparse
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, precision_recall_fscore_support
from sklearn.model_selection import train_test_split
from torch import nn

HERE = Path(__file__).resolve().parent


class DigitNet(nn.Module):
    """[n, 8, 8] pixels in 0..1 to [n, 10] logits."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(32 * 4 * 4, 64),
            nn.ReLU(),
            nn.Linear(64, 10),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.layers(image.unsqueeze(1))
        return logits


def split() -> list[np.ndarray]:
    """Images [n, 8, 8] with pixels 0..16 and their labels: train and held-out quarter of each."""
    digits = load_digits()
    parts: list[np.ndarray] = train_test_split(
        digits.images.astype(np.float32),
        digits.target,
        test_size=0.25,
        random_state=0,
        stratify=digits.target,
    )
    return parts


def train(images: torch.Tensor, labels: torch.Tensor, epochs: int) -> DigitNet:
    torch.manual_seed(0)
    torch.set_num_threads(1)  # so small a network gains nothing from a second
    net = DigitNet()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(64):
            loss = nn.functional.cross_entropy(net(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return net.eval()


def report(net: DigitNet, images: torch.Tensor, labels: np.ndarray) -> None:
    with torch.no_grad():
        predicted = net(images).argmax(1).numpy()
    precision, recall, f1, _ = precision_recall_fscore_support(labels, predicted, average="macro")
    print(f"held-out images  {len(labels)}")
    print(f"accuracy         {accuracy_score(labels, predicted):.4f}")
    print(f"precision        {precision:.4f}  (macro average)")
    print(f"recall           {recall:.4f}")
    print(f"F1               {f1:.4f}")


def save(net: DigitNet, path: Path) -> None:
    with warnings.catch_warnings():
        # torch calls TorchScript old; it is what runs without Python.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(net).save(str(path))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--output", type=Path, default=HERE / "digits.pt")
    args = parser.parse_args()
    train_images, test_images, train_labels, test_labels = split()
    net = train(torch.from_numpy(train_images / 16), torch.from_numpy(train_labels), args.epochs)
    report(net, torch.from_numpy(test_images / 16), test_labels)
    save(net, args.output)
    print(f"saved            {args.output.name}")


if __name__ == "__main__":
    main()
