"""Counting words, and dictionaries as rows."""

import re
from typing import Any

import numpy as np

from model.contract.pickles.records import GlobalName, Record
from model.serving.estimators.attributes import Attributes, EstimatorSchema, State, decode
from model.serving.estimators.checks import check_same_sizes, require
from model.serving.estimators.errors import MismatchError, UnknownNameError
from model.serving.estimators.functions import decode_dtype
from model.serving.estimators.kinds import left_out, one_of, within

_MOST_HASHED = 2**22
_LONGEST_NGRAM = 10
_LONGEST_ROW = 20_000
_SET = r"\[\^?(?:\\[wWdDsS.'\"-]|\\u[0-9a-fA-F]{4}|[^\[\]\\])+\]"
_ATOM = rf"(?:\\[wWdDsSbB.$!?'\"-]|{_SET}|[\w!@#%&:;,'\"=<>~ -])"
_BODY = rf"(?:{_ATOM}(?:\{{\d{{1,2}}\}}|\?)?){{0,6}}(?:{_ATOM}(?:[+*]|\{{\d{{1,2}},\d{{0,2}}\}}))?"
_BRANCH = rf"(?:\\b{_BODY}\\b|{_BODY})"
_TOKENS = re.compile(rf"(?=.{{1,100}}\Z)(?:\(\?[aiu]{{1,3}}\))?{_BRANCH}(?:\|{_BRANCH}){{0,9}}")
"""Patterns that take time in proportion to the text: a repetition comes last, or between borders.

Where more follows it, each place of a long word is tried anew, and repetitions in each other could
take for ever.
"""


def _decode_vocabulary(value: Any, state: State) -> dict[str, int]:
    """Decode which word is in which column: each column has one word."""
    if not isinstance(value, dict):
        raise MismatchError
    made = {}
    for word, place in value.items():
        if not isinstance(word, str) or isinstance(place, bool):
            raise MismatchError
        if not isinstance(place, int | np.integer):
            raise MismatchError
        made[str(word)] = int(place)
    if sorted(made.values()) != list(range(len(made))):
        raise MismatchError
    state.fit_sizes(("words",), (len(made),))
    return made


def _decode_word_index(value: Any, state: State) -> dict[str, int]:
    """Decode which number a word has."""
    if not isinstance(value, dict) or not all(
        isinstance(word, str) and type(number) is int and number > 0
        for word, number in value.items()
    ):
        raise MismatchError
    return value


def _decode_tokens(value: Any, state: State) -> Any:
    """Decode the pattern of a word."""
    pattern = decode("none | text", value, state)
    if pattern is not None:
        if not _TOKENS.fullmatch(pattern):
            raise MismatchError
        try:
            re.compile(pattern)
        except re.error:
            raise MismatchError from None
    return pattern


def _decode_ngrams(value: Any, state: State) -> tuple[int, int]:
    low, high = decode("tuple[2] of int", value, state)
    if not 1 <= low <= high <= _LONGEST_NGRAM:
        raise MismatchError
    return low, high


def _refuse_own_code(value: Any, state: State) -> None:
    """Refuse a function that splits or prepares texts, by its name.

    Raises:
        UnknownNameError: for a function.
        MismatchError: for anything else but None.
    """
    if isinstance(value, GlobalName | Record):
        raise UnknownNameError(value.path)
    if value is not None:
        raise MismatchError


def _decode_analyzer(value: Any, state: State) -> Any:
    """Decode which terms a text is split into.

    Raises:
        UnknownNameError: for a function.
    """
    if isinstance(value, GlobalName | Record):
        raise UnknownNameError(value.path)
    return one_of("word", "char", "char_wb")(value, state)


def _decode_stop_words(value: Any, state: State) -> Any:
    if isinstance(value, set | frozenset):
        value = sorted(value, key=repr)
    return decode("none | 'english' | list of text", value, state)


def _refuse_signs(state: State) -> None:
    """Refuse what answers otherwise today."""
    require(
        state.raw.pop("non_negative", False) is False,
        state,
        "has non_negative=True, which scikit-learn 0.21 took out: it would answer otherwise",
    )


def _use_floats(state: State) -> None:
    """Give floats, as the weights always were; 0.20 changed the default for the counts."""
    state.raw["dtype"] = np.dtype(np.float64) if state.release < (0, 20) else state.raw.get("dtype")
    if state.raw["dtype"] is None:
        del state.raw["dtype"]


def _complete_vocabulary(state: State) -> None:
    """Say that the words were learned, and checked against the pattern, which gives no warning."""
    state.values["fixed_vocabulary_"] = False
    state.values["_stop_words_id"] = id(state.values.get("stop_words"))


def _check_weights(state: State) -> None:
    """Check that there is a weight for each word."""
    _complete_vocabulary(state)
    weights = state.values["_tfidf"]
    for name in ("norm", "use_idf", "smooth_idf", "sublinear_tf"):
        state.values[name] = getattr(weights, name)
    if weights.use_idf:
        check_same_sizes(len(weights.idf_), state.sizes["words"], state, "words and weights")


def _take_diagonal(state: State) -> None:
    """Take the weights out of the matrix in whose diagonal they were until 1.4."""
    matrix = state.raw.pop("_idf_diag", None)
    if matrix is None:
        return
    if isinstance(matrix, Record) and matrix.name == "dia_matrix":
        state.raw["idf_"] = np.asarray(matrix.attributes.get("data")).reshape(-1)
        return
    made = decode("sparse[features, features]", matrix, state)
    state.raw["idf_"] = np.asarray(made.diagonal(), dtype=np.float64)


def _need_no_weights(state: State) -> None:
    """Note that counts without weights need no fit, which left nothing behind until 0.24."""
    if state.raw.get("use_idf") is False:
        state.stateless = True
        state.values["fitted_"] = True  # scikit-learn looks for any attribute of a fit


def _check_names(state: State) -> None:
    """Check that each column has its name."""
    names, vocabulary = state.values["feature_names_"], state.values["vocabulary_"]
    same = all(vocabulary.get(name) == place for place, name in enumerate(names))
    require(same and len(names) == len(vocabulary), state, "has columns that do not fit its names")


_WORDS: Attributes = {
    "input": one_of("content"),
    "encoding": one_of("utf-8", "utf8", "latin-1", "latin1", "iso-8859-1", "cp1252", "ascii"),
    "decode_error": one_of("strict", "ignore", "replace"),
    "strip_accents": one_of("ascii", "unicode", None),
    "preprocessor": _refuse_own_code,
    "tokenizer": _refuse_own_code,
    "analyzer": _decode_analyzer,
    "token_pattern": _decode_tokens,
    "ngram_range": _decode_ngrams,
    "stop_words": _decode_stop_words,
    "vocabulary": left_out(),
    "dtype": decode_dtype,
}
_READS = "lowercase binary"


SCHEMAS = {
    "CountVectorizer": EstimatorSchema(
        "feature_extraction.text",
        {"vocabulary_": _decode_vocabulary},
        _WORDS,
        reads=_READS,
        complete=(_complete_vocabulary,),
    ),
    "TfidfVectorizer": EstimatorSchema(
        "feature_extraction.text",
        {"vocabulary_": _decode_vocabulary, "_tfidf": "estimator"},
        _WORDS,
        reads=_READS,
        migrate=(_use_floats,),
        complete=(_check_weights,),
    ),
    "HashingVectorizer": EstimatorSchema(
        "feature_extraction.text",
        {},
        {**_WORDS, "n_features": within(1, _MOST_HASHED)},
        reads=f"{_READS} norm alternate_sign",
        migrate=(_refuse_signs,),
    ),
    "TfidfTransformer": EstimatorSchema(
        "feature_extraction.text",
        {"idf_?": "float[features]"},
        reads="norm use_idf smooth_idf sublinear_tf",
        migrate=(_take_diagonal, _need_no_weights),
    ),
    "DictVectorizer": EstimatorSchema(
        "feature_extraction",
        {"vocabulary_": _decode_vocabulary, "feature_names_": "list of text"},
        {"dtype": decode_dtype},
        reads="separator sparse",
        complete=(_check_names,),
    ),
    "WordNumbers": EstimatorSchema(
        "model.serving.word_numbers",
        {
            "word_index": _decode_word_index,
            "num_words": "none | int",
            "oov_token?": "none | text",
            "filters": "text",
            "lower": "bool",
            "split": "text",
            "char_level": "bool",
            "gap?": "none | text",
            "is_ascii?": "bool",
            "maxlen?": within(1, _LONGEST_ROW),
            "padding?": one_of("pre", "post"),
            "truncating?": one_of("pre", "post"),
        },
    ),
    "FeatureHasher": EstimatorSchema(
        "feature_extraction",
        {},
        {"n_features": within(1, _MOST_HASHED), "dtype": decode_dtype},
        reads="input_type alternate_sign",
        migrate=(_refuse_signs,),
    ),
}
