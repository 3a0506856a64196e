"""Fields that take free text: a message, a review, a description."""

import math
import unicodedata
from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from model.contract import formatting
from model.contract.arrays import Float64Array
from model.contract.fields.base import INVALID, BaseField, Sample, make_error
from model.contract.texts import decode_text, encode_text, mend_lines, shorten

LEAST_LENGTH = 2000
"""Characters that a drafted field takes at least."""

MOST_LENGTH = 20_000
"""Characters that a field can take."""

_SHOWN = 40
"""Characters of a text that a sentence quotes."""

_COMPARED = 200
"""Characters of a similar text that are shown."""

_COMBINING = 60
"""Combining characters in a row; the scripts of the world stack fewer than ten."""


class TextField(BaseField):
    """Free text of any number of words and lines."""

    kind: Literal["text"]
    """The kind of field."""

    max_length: int = Field(default=LEAST_LENGTH, ge=1, le=MOST_LENGTH)
    """The most characters that it takes."""

    nfc: bool = False
    """Whether what is typed is composed (Unicode's normal form C), as the training texts were: an é
    that a phone sends as e and an accent is then the é that the model knows."""

    example: str = Field(min_length=1)
    """A text that the field takes, for the OpenAPI text."""

    is_text: ClassVar[bool] = True
    codes_text: ClassVar[str] = "texts"
    verb: ClassVar[str] = "Write"
    varies: ClassVar[bool] = False

    @property
    def accepted_text(self) -> str:
        return f"text, up to {self._format_count(self.max_length)} characters"

    @property
    def text_length(self) -> int:
        return self.max_length

    @property
    def input_attributes(self) -> dict[str, str]:
        """Those of a text area; one that cut what is pasted would answer another text."""
        return {
            "rows": "5",
            "spellcheck": "true",
            "autocapitalize": "sentences",
            "dir": "auto",
            "data-most": str(self.max_length),
        }

    def _format_count(self, count: int) -> str:
        return formatting.format_number(count, self._locale)

    def read(self, value: object) -> str:
        if not isinstance(value, str):
            raise make_error("text", f"{self.label} must be a text")
        if len(value) > 2 * MOST_LENGTH:  # nobody waits for the rest of a far longer one
            raise self._too_long(len(value))
        text = mend_lines(value)
        if "\0" in text:
            problem = "contains the character NUL, which no text has. Remove it"
            raise make_error("text", f"{self.label} {problem}")
        if not text.isascii():
            text = self._read_unicode(text)
        if len(text) > self.max_length:
            raise self._too_long(len(text))
        return text

    def read_json(self, value: object) -> object:
        """A text; a blank one is still to be written."""
        return value if isinstance(value, str | None) else INVALID

    def _read_unicode(self, text: str) -> str:
        """Compose a text where the field does, and refuse what is none."""
        try:
            text.encode()
        except UnicodeEncodeError:
            problem = "contains half of a character. Remove it, or send the text as UTF-8"
            raise make_error("text", f"{self.label} {problem}") from None
        run = 0
        for character in text:
            run = run + 1 if unicodedata.combining(character) else 0
            if run > _COMBINING:
                problem = f"has more than {_COMBINING} accents on one letter. Remove some"
                raise make_error("text", f"{self.label} {problem}")
        return unicodedata.normalize("NFC", text) if self.nfc else text

    def _too_long(self, length: int) -> Exception:
        count, most = self._format_count(length), self._format_count(self.max_length)
        over = self._format_count(length - self.max_length)
        return make_error(
            "length",
            f"{self.label} can have {most} characters; this has {count}. Remove {over}",
        )

    @property
    def encoder(self) -> Callable[[Any], float]:
        return encode_text

    def decode(self, code: float) -> str | None:
        return None if math.isnan(code) else decode_text(code)

    def format_value(self, value: Any) -> str:
        return f"“{shorten(value, _SHOWN)}”"

    def format_difference(self, value: Any, other: Any) -> str:
        return f"“{shorten(other, _COMPARED)}”"

    def split_deviation(self, value: Any, reference: Any) -> tuple[str, str, str]:
        return "", "", ""  # no text is typical

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": self.max_length}

    @classmethod
    def draft(cls, sample: Sample) -> Self:
        texts = [decode_text(code) for code in np.unique(sample.codes).tolist()]
        longest = max(map(len, texts), default=0)
        step = 10 ** max(len(str(longest)) - 2, 0)
        length = min(max(-(-longest // step) * step, LEAST_LENGTH), MOST_LENGTH)
        example = next((text for text in texts if 0 < len(text.strip()) <= length), "A text.")
        return cls(**sample.keys, max_length=length, example=example)

    @classmethod
    def find_misfit(cls, numbers: Float64Array) -> str:
        return "it holds numbers"
