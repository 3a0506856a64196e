"""Makes the files in ``keras_texts``: networks of messages, and what Keras itself answers.

It runs where TensorFlow and scikit-learn are installed, and is no test:

    python -m tests.model.making.pictures.make_keras_texts
"""

import json
import os
import pickle
from pathlib import Path
from typing import Any

from tests.messages import make_messages

FOLDER = Path(__file__).parent / "keras_texts"
ODD = ["Hello!!! FREE prize - claim,now:you", "Müßig ÉTÉ\n\nTab\tfree\u00a0free " + "lunch " * 40]
LENGTH = 12


def main() -> None:
    """Write the networks, the tokenizer and the answers."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras
    import tensorflow as tf
    from keras.src.legacy.preprocessing.text import Tokenizer

    keras.utils.set_random_seed(0)
    layers: Any = keras.layers
    rows = make_messages()
    truth = (rows["label"] == "spam").astype(int).to_numpy()
    asked = [*make_messages(40, seed=7)["message"], *ODD]
    tokenizer = Tokenizer(num_words=60, oov_token="<OOV>")  # noqa: S106 (a word)
    tokenizer.fit_on_texts(rows["message"])
    tokenizer.padding, tokenizer.truncating = "post", "pre"
    (FOLDER / "tokenizer.pkl").write_bytes(pickle.dumps(tokenizer))

    def number(texts: Any) -> Any:
        found = tokenizer.texts_to_sequences(texts)
        return keras.utils.pad_sequences(found, LENGTH, padding="post", truncating="pre")

    def keep(texts: Any) -> Any:
        return tf.constant([[text] for text in texts])

    vectorize = layers.TextVectorization(max_tokens=60, output_sequence_length=LENGTH)
    vectorize.adapt(rows["message"].to_numpy())
    networks = {
        "recurrent": [
            layers.Embedding(60, 6), layers.SpatialDropout1D(0.1),
            layers.GRU(6, return_sequences=True),
            layers.Bidirectional(layers.LSTM(4)), layers.Dense(1, "sigmoid"),
        ],
        "convolved": [
            layers.Embedding(60, 6), layers.Conv1D(6, 3, padding="same", activation="relu"),
            layers.Conv1D(4, 2, padding="causal"), layers.GlobalAveragePooling1D(),
            layers.Dense(1, "sigmoid"),
        ],
        "vectorized": [
            keras.Input((1,), dtype="string"), vectorize, layers.Embedding(60, 6),
            layers.GlobalMaxPooling1D(), layers.Dense(1, "sigmoid"),
        ],
    }  # fmt: skip
    kept: dict[str, Any] = {"texts": asked}
    for name, made in networks.items():
        model = keras.Sequential(made)
        prepare = keep if name == "vectorized" else number
        model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
        model.fit(prepare(rows["message"]), truth, epochs=12, verbose=0)
        kept[name] = model.predict(prepare(asked), verbose=0)[:, 0].tolist()
        model.save(FOLDER / f"{name}.keras", include_optimizer=False)
        if name == "recurrent":
            model.save(FOLDER / f"{name}.h5", include_optimizer=False)
    (FOLDER / "answers.json").write_text(json.dumps(kept))


if __name__ == "__main__":
    main()
