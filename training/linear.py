"""Linear heads on sparse features, all outputs at once, by L-BFGS."""

from typing import Literal

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from tqdm import tqdm

Loss = Literal["logistic", "squared"]


def fit(
    features: csr_matrix, targets: np.ndarray, *, loss: Loss, l2: float, dense: np.ndarray | None = None,
    weights: np.ndarray | None = None, steps: int = 80, name: str = "fit",
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """(coefficients (features, outputs), intercepts) of the ridge-penalised minimum.

    ``dense``: further columns, after the sparse ones; kept apart because they are all filled.
    ``targets`` 0..1 for the logistic loss (soft labels are fine), any number for the squared one;
    NaN cells are left out. ``weights``: one per row. The intercept is not penalised.
    """
    rows, sparse = features.shape
    more = np.zeros((rows, 0), dtype=np.float32) if dense is None else dense.astype(np.float32)
    width = sparse + more.shape[1]
    outputs = targets.shape[1]
    known = ~np.isnan(targets)
    wanted = np.nan_to_num(targets).astype(np.float32)
    each = (known * (np.ones(rows) if weights is None else weights)[:, None]).astype(np.float32)
    each /= each.sum(axis=0, keepdims=True)
    transposed = features.T.tocsr()
    bar = tqdm(total=steps, desc=name, mininterval=10)

    def value_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        table = flat.reshape(width + 1, outputs).astype(np.float32)
        scores = features @ table[:sparse] + more @ table[sparse:-1] + table[-1]
        if loss == "logistic":
            value = float((each * (np.logaddexp(0, scores) - wanted * scores)).sum())
            slope = each * (1 / (1 + np.exp(-scores)) - wanted)
        else:
            value = float((each * (scores - wanted) ** 2).sum() / 2)
            slope = each * (scores - wanted)
        slope = slope.astype(np.float32)
        gradient = np.vstack([transposed @ slope, more.T @ slope, slope.sum(axis=0)])
        gradient[:-1] += l2 * table[:-1]
        value += 0.5 * l2 * float((table[:-1].astype(np.float64) ** 2).sum())
        return value, gradient.astype(np.float64).ravel()

    start = np.zeros((width + 1, outputs))
    share = (each * wanted).sum(axis=0).clip(1e-4, 1 - 1e-4) if loss == "logistic" else None
    start[-1] = np.log(share / (1 - share)) if share is not None else (each * wanted).sum(axis=0)
    found = minimize(
        value_and_gradient, start.ravel(), jac=True, method="L-BFGS-B",
        callback=lambda _: bar.update(), options={"maxiter": steps, "maxcor": 8},
    )  # fmt: skip
    bar.close()
    table = found.x.reshape(width + 1, outputs).astype(np.float32)
    return table[:-1], table[-1]
