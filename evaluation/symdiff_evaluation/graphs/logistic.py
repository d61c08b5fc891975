"""Logistic regression of two classes that count the same, whatever their sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_STEPS = 100
_CLOSE = 1e-8  # largest entry of the gradient per row where the fit ends


@dataclass(frozen=True, eq=False)
class Logistic:
    """P(first class | x) = sigmoid(weights . (x - center) / scale + offset).

    Parameters
    ----------
    center, scale, weights : numpy.ndarray, (width,)
        One a column.
    offset : float
        The offset.
    """

    center: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    offset: float

    def log_odds(self, rows: np.ndarray) -> np.ndarray:
        """Compute the log-odds of the first class.

        Parameters
        ----------
        rows : numpy.ndarray, (n, width)
            The points.

        Returns
        -------
        numpy.ndarray, (n,)
            In nats.
        """
        return ((rows - self.center) / self.scale) @ self.weights + self.offset


def fit(first: np.ndarray, second: np.ndarray) -> Logistic:
    """Fit a logistic regression with a ridge penalty.

    The minimum of |w|^2 / 2 plus the logistic losses of all rows, weighted so that both classes have half of the
    weight. Columns are standardized, those that are constant get no weight. By Newton's method with halved steps; the
    offset is not penalized.

    Parameters
    ----------
    first : numpy.ndarray, (n, width)
        Rows of the first class, not empty.
    second : numpy.ndarray, (m, width)
        Rows of the second class, not empty.

    Returns
    -------
    Logistic
        The classifier.
    """
    rows = np.concatenate([first, second])
    center, spread = rows.mean(0), rows.std(0)
    varies = spread > 1e-9 * np.maximum(np.abs(center), 1e-12)
    scale = np.where(varies, spread, 1.0)
    x = np.column_stack([(rows - center) / scale * varies, np.ones(len(rows))])
    sign = np.repeat([1.0, -1.0], [len(first), len(second)])
    mass = np.repeat(len(rows) / 2 / np.array([len(first), len(second)]), [len(first), len(second)])
    ridge = np.append(np.ones(rows.shape[1]), 0.0)
    w = np.zeros(x.shape[1])
    value = _loss(w, x, sign, mass, ridge)
    for _ in range(_STEPS):
        wrong = 1 / (1 + np.exp(np.clip(sign * (x @ w), -500, 500)))
        slope = ridge * w - x.T @ (mass * sign * wrong)
        if np.abs(slope).max() < _CLOSE * len(rows):
            break
        curve = (x.T * (mass * wrong * (1 - wrong))) @ x
        curve[np.diag_indices_from(curve)] += ridge + 1e-12
        step, size = np.linalg.solve(curve, slope), 1.0
        while (less := _loss(w - size * step, x, sign, mass, ridge)) > value and size > 1e-6:
            size /= 2
        w, value = w - size * step, less
    return Logistic(center, scale, w[:-1], float(w[-1]))


def _loss(w: np.ndarray, x: np.ndarray, sign: np.ndarray, mass: np.ndarray, ridge: np.ndarray) -> float:
    return float((ridge * w * w).sum() / 2 + (mass * np.logaddexp(0, -sign * (x @ w))).sum())
