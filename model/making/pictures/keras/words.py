"""Takes a TextVectorization out of a model of Keras, as the numbers of words that it makes."""

import string
import zipfile
from dataclasses import replace

from model.making.errors import AddError
from model.making.pictures.keras.files import Config, KerasFile, list_layers
from model.serving.word_numbers import WordNumbers

_LAYER = "TextVectorization"
_MOST_BYTES = 50_000_000


def split_words(file: KerasFile) -> tuple[KerasFile, WordNumbers] | None:
    """Split a model into the layers behind its TextVectorization, and that; None without one.

    Raises:
        AddError: if it is used in a way that is not known.
    """
    layers = list_layers(file.config)
    if _LAYER not in (layer["class_name"] for layer in layers):
        return None
    names = [layer["class_name"] for layer in layers[:2]]
    place = names.index(_LAYER) if _LAYER in names else -1
    config: Config = layers[place]["config"] if place >= 0 else {}
    if (
        file.config["class_name"] != "Sequential"
        or (config.get("output_mode"), config.get("split"), config.get("ngrams"))
        != ("int", "whitespace", None)
        or config.get("standardize") not in _FILTERED
        or not config.get("output_sequence_length")
    ):
        raise AddError(
            f"{file.path} splits texts by a {_LAYER} of a kind that is not read here: it has to be "
            "the first layer of a Sequential, standardize 'lower_and_strip_punctuation', split by "
            "'whitespace', and have output_mode 'int' and an output_sequence_length."
        )
    length = int(config["output_sequence_length"])
    rest = {**file.config["config"], "layers": layers[place + 1 :]}
    rest["build_input_shape"] = [None, length]
    return replace(file, config={**file.config, "config": rest}), _make_words(file, config, length)


_FILTERED: dict[str | None, str] = {
    "lower_and_strip_punctuation": string.punctuation,
    "strip_punctuation": string.punctuation,
    "lower": "",
    None: "",
}
"""The characters that are taken out, by the name of the way."""


def _make_words(file: KerasFile, config: Config, length: int) -> WordNumbers:
    way = config.get("standardize")
    words = WordNumbers()
    numbered = enumerate(_list_words(file, config))
    words.word_index = {word: number for number, word in numbered if word}
    words.num_words, words.oov_token = None, "[UNK]"
    words.filters, words.gap, words.split = _FILTERED[way], "", ""
    words.lower, words.is_ascii, words.char_level = (way or "").startswith("lower"), True, False
    words.maxlen, words.padding, words.truncating = length, "post", "post"
    return words


def _list_words(file: KerasFile, config: Config) -> list[str]:
    """The words by their numbers: nothing, what stands for an unknown one, and the others."""
    known = config.get("vocabulary")
    if known:
        return list(map(str, known)) if "[UNK]" in known else ["", "[UNK]", *map(str, known)]
    if zipfile.is_zipfile(file.path):
        with zipfile.ZipFile(file.path) as archive:
            for item in archive.infolist():
                if item.filename.endswith("/vocabulary.txt") and item.file_size < _MOST_BYTES:
                    return archive.read(item).decode().rstrip("\n").split("\n")
    raise AddError(
        f"{file.path} does not have the words of its {_LAYER}. Save the model as a .keras file."
    )
