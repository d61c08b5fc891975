"""The Fréchet ChemNet Distance: activations, their Gaussian, and the distance of two Gaussians.

Source: Preuer et al., Fréchet ChemNet Distance, J. Chem. Inf. Model. 58 (2018); the network and its weights come with
the ``fcd`` package (https://github.com/bioinf-jku/FCD), nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec

import numpy as np
from scipy.linalg import eigh

from symdiff.errors import UserError

LONGEST = 349  # characters; ChemNet's input is padded to 350
FEATURES = 512


@dataclass(frozen=True)
class FeatureGaussian:
    """A Gaussian of ChemNet activations.

    Parameters
    ----------
    mean : numpy.ndarray, (512,) float64
        The mean.
    covariance : numpy.ndarray, (512, 512) float64
        The covariance.
    """

    mean: np.ndarray
    covariance: np.ndarray


def require() -> None:
    """Check that the package ``fcd`` is installed.

    Raises
    ------
    UserError
        Where it is missing.
    """
    if find_spec("fcd") is None:
        raise UserError("the metrics fcd.train and fcd.test need the package fcd: pip install 'symdiff-torch[fcd]'")


def compute_activations(smiles: Sequence[str], batch: int = 256) -> np.ndarray:
    """Compute ChemNet's last hidden layer.

    Parameters
    ----------
    smiles : sequence of str, (n,)
        Canonical SMILES of at most ``LONGEST`` characters.
    batch : int
        Number of molecules at once.

    Returns
    -------
    numpy.ndarray, (n, 512) float32
        The activations.

    Raises
    ------
    UserError
        Where the package ``fcd`` is missing.
    """
    require()
    import torch

    model = _model()
    out = np.empty((len(smiles), FEATURES), np.float32)
    with torch.no_grad():
        for start in range(0, len(smiles), batch):
            hot = torch.from_numpy(np.stack([_hot(text) for text in smiles[start : start + batch]]))
            out[start : start + batch] = model(hot.transpose(1, 2)).numpy()
    return out


def fit_gaussian(features: np.ndarray) -> FeatureGaussian:
    """Fit a Gaussian to activations.

    Parameters
    ----------
    features : numpy.ndarray, (n, 512)
        Activations of at least two molecules.

    Returns
    -------
    FeatureGaussian
        Mean and unbiased covariance.
    """
    features = features.astype(np.float64)
    return FeatureGaussian(features.mean(0), np.cov(features.T))


def frechet(one: FeatureGaussian, two: FeatureGaussian) -> float:
    """Compute the squared Fréchet (2-Wasserstein) distance |m1 - m2|^2 + tr(C1 + C2 - 2 (C2^1/2 C1 C2^1/2)^1/2).

    Parameters
    ----------
    one, two : FeatureGaussian
        The two Gaussians.

    Returns
    -------
    float
        The distance.

    References
    ----------
    Preuer et al., Fréchet ChemNet Distance: a metric for generative models for molecules in drug discovery, J. Chem.
    Inf. Model. 58 (2018).
    """
    return frechet_to(two)(one)


def frechet_to(distribution: FeatureGaussian) -> Callable[[FeatureGaussian], float]:
    """Make the function that computes the Fréchet distance to one Gaussian, for many others.

    Parameters
    ----------
    distribution : FeatureGaussian
        The Gaussian whose square root is taken once.

    Returns
    -------
    callable
        From a ``FeatureGaussian`` to a float.
    """
    values, vectors = eigh(distribution.covariance)
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T

    def distance(one: FeatureGaussian) -> float:
        middle = eigh(root @ one.covariance @ root, eigvals_only=True)
        gap = one.mean - distribution.mean
        trace = np.trace(one.covariance) + np.trace(distribution.covariance) - 2 * np.sqrt(middle.clip(0)).sum()
        return float(gap @ gap + trace)

    return distance


@lru_cache(maxsize=1)
def _model():
    from fcd import load_ref_model

    return load_ref_model()


def _hot(text: str) -> np.ndarray:
    from fcd.utils import get_one_hot

    hot = get_one_hot(text, pad_len=LONGEST + 1)
    return (hot / hot.shape[1]).astype(np.float32)
