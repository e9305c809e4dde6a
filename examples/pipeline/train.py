"""Fits two models to scikit-learn's digits and saves them as TorchScript beside this file.

compressor.pt turns an image of 64 pixels into 16 components (PCA), classifier.pt these into logits.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from torch import nn

HERE = Path(__file__).resolve().parent


def linear(weights: np.ndarray, shift: np.ndarray) -> nn.Linear:
    """x @ weights.T + shift as a layer."""
    layer = nn.Linear(weights.shape[1], weights.shape[0])
    layer.load_state_dict({"weight": torch.tensor(weights), "bias": torch.tensor(shift)})
    return layer


def save(module: nn.Module, example: torch.Tensor, path: Path) -> None:
    """Writes a TorchScript file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.trace(module.eval(), example).save(str(path))


def main() -> None:
    """Fits, prints the accuracy on held-out images, saves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=HERE, help="folder (default: this one)")
    folder = parser.parse_args().output
    digits = load_digits()
    images = digits.data.astype(np.float32) / 16
    parts = train_test_split(images, digits.target, random_state=0, stratify=digits.target)
    pca = PCA(16, random_state=0).fit(parts[0])
    model = LogisticRegression(max_iter=2000).fit(pca.transform(parts[0]), parts[2])
    print(f"accuracy {model.score(pca.transform(parts[1]), parts[3]):.4f}")
    axes = pca.components_.astype(np.float32)
    compress = nn.Sequential(nn.Flatten(), linear(axes, -axes @ pca.mean_.astype(np.float32)))
    classify = linear(model.coef_.astype(np.float32), model.intercept_.astype(np.float32))
    save(compress, torch.zeros(2, 8, 8), folder / "compressor.pt")
    save(classify, torch.zeros(2, 16), folder / "classifier.pt")


if __name__ == "__main__":
    main()
