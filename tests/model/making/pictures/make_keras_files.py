"""Makes the files in ``keras_files``, each with what Keras itself answers.

It runs where TensorFlow is installed, and is no test:

    python tests/model/making/pictures/make_keras_files.py 3    # Keras 3: .keras and .h5
    python tests/model/making/pictures/make_keras_files.py 2    # tf_keras, which is Keras 2: .h5
"""

import os
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "keras_files"


def main(release: str) -> None:
    """Write the files of one release of Keras."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    if release == "2":
        os.environ["TF_USE_LEGACY_KERAS"] = "1"
        import tf_keras as keras
    else:
        import keras
    import numpy as np

    layers: Any = keras.layers
    rng = np.random.default_rng(0)

    def sequential() -> Any:
        made = [
            layers.Rescaling(1 / 255.0), layers.RandomFlip("horizontal"),
            layers.Conv2D(6, 3, padding="same", activation="relu"), layers.BatchNormalization(),
            layers.MaxPooling2D(), layers.Conv2D(8, 3, strides=2, padding="same"),
            layers.LeakyReLU(), layers.SeparableConv2D(8, 3, activation="elu"),
            layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2),
            layers.ZeroPadding2D(((1, 0), (2, 1))), layers.AveragePooling2D(2, padding="same"),
            layers.Dropout(0.3), layers.Flatten(), layers.Dense(8, activation="tanh"),
            layers.Dense(3, activation="softmax"),
        ]  # fmt: skip
        model = keras.Sequential(made)
        model.build((None, 24, 24, 3))
        return model

    def functional() -> Any:
        given = keras.Input((25, 21, 3))
        x = layers.Conv2D(8, 5, strides=2, padding="same", use_bias=False)(given)
        x = layers.Activation("relu")(layers.BatchNormalization(scale=False)(x))
        wide = layers.Conv2D(8, 3, padding="same", dilation_rate=2)(x)
        y = layers.ReLU(6.0)(layers.Add()([layers.Conv2D(8, 1)(x), wide]))
        y = layers.UpSampling2D(2)(layers.Concatenate()([x, y]))
        y = layers.UpSampling2D(2, interpolation="bilinear")(y)
        y = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="swish")(y))
        y = layers.Reshape((4, 4))(layers.Dense(16, activation="gelu")(y))
        return keras.Model(given, layers.Softmax()(layers.Dense(3)(layers.Flatten()(y))))

    def nested() -> Any:
        """A network in a network, as transfer learning has it, with arithmetic before it."""
        inner = keras.Sequential(
            [
                layers.Conv2D(8, 3, activation="relu"),
                layers.BatchNormalization(),
                layers.GlobalMaxPooling2D(),
            ],
            name="inner",
        )
        inner.build((None, 12, 12, 8))
        inner.trainable = False
        given = keras.Input((24, 24, 3))
        x = layers.Conv2D(8, 3, strides=2, padding="same")((given / 127.5) - 1.0)
        return keras.Model(given, layers.Dense(1, activation="sigmoid")(inner(x)))

    def table() -> Any:
        """A network of the columns of a table."""
        made = [
            layers.Normalization(mean=0.1, variance=1.2), layers.Dense(12, activation="relu"),
            layers.BatchNormalization(), layers.Dropout(0.2), layers.Dense(1),
        ]  # fmt: skip
        model = keras.Sequential(made)
        model.build((None, 4))
        return model

    FOLDER.mkdir(exist_ok=True)
    for make in (sequential, functional, nested, table):
        model = make()
        values = []
        for weight in model.weights:
            array = np.array(weight)
            if array.dtype.kind == "f":
                array = rng.normal(0, 0.3, array.shape).astype(np.float32)
                if "variance" in weight.name:
                    array = np.abs(array) + 0.5
            values.append(array)
        model.set_weights(values)
        given = rng.integers(0, 256, (3, *model.input_shape[1:]), dtype=np.uint8)
        if make is table:
            rows = rng.normal(size=(300, 4))
            given = ((rows - rows.mean(axis=0)) / rows.std(axis=0)).astype(np.float32)
        answers = np.array(model(given.astype(np.float32), training=False))
        for suffix in ("h5",) if release == "2" else ("h5", "keras"):
            path = FOLDER / f"{make.__name__}_{release}.{suffix}"
            model.save(path)
            np.savez_compressed(path.with_name(path.name + ".npz"), given=given, answers=answers)


if __name__ == "__main__":
    main(sys.argv[1])
