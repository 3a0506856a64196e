"""A small neural network that never falls as one chosen input rises.

The result is a plain `MLPRegressor`. A projection of the weights every few steps makes it monotone
(projected gradient descent; non-negative weights on every path from the input: Archer and Wang,
"Application of the back propagation neural network algorithm with monotonicity constraints",
Decision Sciences 24(1), 1993). The activation is tanh, because non-negative weights with ReLU give
convex curves only.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.neural_network import MLPRegressor

from model.contract.arrays import Float32Array, Float64Array

_BATCH = 128
_STEPS_BETWEEN_PROJECTIONS = 8


def fit_network(
    inputs: Float64Array,
    target: Float64Array,
    *,
    increasing: Sequence[int] = (),
    hidden: tuple[int, ...],
    epochs: int,
    learning_rate: float,
    seed: int,
) -> MLPRegressor:
    """Fit inputs [N, K] to target [N], so that it never falls with the inputs `increasing`.

    Half of each hidden layer is reserved for these inputs; the other half never sees them. The
    learning rate falls along a cosine to 1 % of `learning_rate`.
    """
    centre, scale = float(target.mean()), float(target.std()) or 1.0
    x = inputs.astype(np.float32)
    y = ((target - centre) / scale).astype(np.float32)
    network = MLPRegressor(
        hidden_layer_sizes=hidden,
        activation="tanh",
        alpha=1e-5,
        learning_rate_init=learning_rate,
        batch_size=_BATCH,
        random_state=seed,
    )
    rng = np.random.default_rng(seed)
    chunk = _BATCH * _STEPS_BETWEEN_PROJECTIONS
    for epoch in range(epochs):
        if epoch:
            # partial_fit keeps one optimizer and has no schedule of its own.
            progress = 0.5 * (1 + np.cos(np.pi * epoch / epochs))
            network._optimizer.learning_rate_init = learning_rate * (0.01 + 0.99 * progress)
        order = rng.permutation(len(x))
        for start in range(0, len(x) - _BATCH + 1, chunk):
            rows = order[start : start + chunk]
            network.partial_fit(x[rows], y[rows])
            if increasing:
                _project(network.coefs_, increasing)
    # The last layer undoes the scaling of the target, so no later step has to.
    network.coefs_[-1] = network.coefs_[-1] * np.float32(scale)
    network.intercepts_[-1] = network.intercepts_[-1] * np.float32(scale) + np.float32(centre)
    return network


def _project(weights: list[Float32Array], increasing: Sequence[int]) -> None:
    """Set weights to the nearest under which the output can't fall with `increasing`."""
    halves = [w.shape[1] // 2 for w in weights]
    weights[0][increasing, halves[0] :] = 0.0
    weights[0][increasing, : halves[0]] = weights[0][increasing, : halves[0]].clip(min=0.0)
    for half_before, layer, half in zip(halves, weights[1:-1], halves[1:], strict=False):
        layer[:half_before, half:] = 0.0
        layer[:half_before, :half] = layer[:half_before, :half].clip(min=0.0)
    weights[-1][: halves[-2]] = weights[-1][: halves[-2]].clip(min=0.0)
