"""From the text of an expression to its tree.

Operators bind as in Python. Python's own parser is not used: it takes ``if`` for a keyword, knows
no names in backticks, and gives a name like "ﬁ" other letters.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from model.contract.expressions.functions import FUNCTIONS

MAX_LENGTH = 1000
"""Characters of an expression."""

MAX_DEPTH = 32
"""Brackets and calls inside each other."""

MAX_OPERATIONS = 100
"""Operators and calls of an expression."""

MAX_EXPONENT = 64
"""The largest exponent that is a constant."""

_MEANT = {
    "&": "write and",
    "|": "write or",
    "~": "write not",
    "^": "write **",
    "%": "there is no %",
}
"""What to write for signs that pandas or Python have."""

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<column>`[^`]+`)
    |(?P<word>[^\W\d]\w*)
    |(?P<sign>\*\*|==|!=|<=|>=|[-+*/<>(),=])
    |(?P<end>$)
    )""",
    re.VERBOSE,
)
_FILE = re.compile(r"\s*([^\s,()\"'`]+)")
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_WORDS = ("and", "or", "not")


class ExpressionError(ValueError):
    """An expression that cannot be computed; the message quotes it and says where."""

    def __init__(self, text: str, place: int, problem: str) -> None:
        where = f" at {_quote(text[place:])}" if text[place:].strip() else " at its end"
        super().__init__(f"In {_quote(text, 120)},{where} (character {place + 1}): {problem}.")


def _quote(text: str, length: int = 20) -> str:
    return f"“{text if len(text) <= length else text[: length - 1] + '…'}”"


@dataclass(frozen=True)
class Number:
    """A constant number."""

    value: float


@dataclass(frozen=True)
class Text:
    """A constant text."""

    value: str


@dataclass(frozen=True)
class Column:
    """The cells of a column; ``place`` is the index of its first character."""

    name: str
    place: int


@dataclass(frozen=True)
class Call:
    """A function or operator, and what it is computed of."""

    name: str
    arguments: "tuple[Node, ...]"
    place: int


Node = Number | Text | Column | Call


class _Token(NamedTuple):
    kind: str
    text: str
    place: int


def write_column(name: str) -> str:
    """Write the name of a column as an expression takes it, in backticks where it is no word."""
    return name if name.isidentifier() and name not in _WORDS else f"`{name}`"


def parse_definition(text: str) -> tuple[str, str]:
    """Parse "age = 2020 - year": the name of a derived column, and the text of its expression.

    Raises:
        ExpressionError: if it is not a name and an expression.
    """
    found = re.match(r"\s*(?:`([^`]+)`|([^\W\d]\w*))\s*=(?!=)", text)
    if found is None:
        raise ExpressionError(
            text, 0, "write a name and an expression, like age = 2020 - year; a name with blanks "
            "stands in backticks"
        )  # fmt: skip
    _Parser(text, found.end()).parse()  # of the whole text: a message says the place in it
    return found[1] or found[2], text[found.end() :].strip()


def parse_expression(text: str) -> Node:
    """Parse "2020 - year".

    Raises:
        ExpressionError: if it is no expression.
    """
    return _Parser(text, 0).parse()


class _Parser:
    """Parses one text; each method parses what binds at least as closely as its name says."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        if len(text) > MAX_LENGTH:
            self._fail(f"it has {len(text):,} characters, and {MAX_LENGTH:,} are the most", 0)
        self._depth = self._operations = 0
        self._position = start
        self._next = self._read()

    def parse(self) -> Node:
        tree = self._parse_or()
        if self._next.kind != "end":
            self._fail(self._hint_after())
        return tree

    def _hint_after(self) -> str:
        if self._next.text == "=":
            return "write == to compare"
        if self._next.text in _COMPARISONS:
            return "write two comparisons with and between them"
        return "an operator or the end is needed here"

    def _fail(self, problem: str, place: int | None = None) -> NoReturn:
        raise ExpressionError(self._text, self._next.place if place is None else place, problem)

    def _read(self) -> _Token:
        found = _TOKEN.match(self._text, self._position)
        if found is None:
            blanks = len(self._text[self._position :]) - len(self._text[self._position :].lstrip())
            place = self._position + blanks
            problem = _MEANT.get(self._text[place], "this sign has no meaning here")
            if self._text[place] in "\"'`":
                problem = "the closing quote is missing"
            elif self._text[place].isdigit():
                problem = "this is neither a number nor a name; a name like it stands in backticks"
            self._fail(problem, place)
        self._position = found.end()
        kind = str(found.lastgroup)
        return _Token(kind, found[kind], found.start(kind))

    def _take(self) -> _Token:
        token, self._next = self._next, self._read()
        return token

    def _call(self, name: str, arguments: tuple[Node, ...], place: int) -> Call:
        self._operations += 1
        if self._operations > MAX_OPERATIONS:
            self._fail(f"it has more than {MAX_OPERATIONS} operations; derive a part of it first")
        return Call(name, arguments, place)

    def _is_next(self, *texts: str) -> bool:
        return self._next.kind in ("sign", "word") and self._next.text in texts

    def _require(self, sign: str) -> None:
        if not self._is_next(sign):
            self._fail(f"{sign} is needed here")
        self._take()

    def _parse_chain(self, signs: tuple[str, ...], parse: Callable[[], Node]) -> Node:
        """What ``parse`` parses, with these signs between; the first two belong together first."""
        left = parse()
        while self._is_next(*signs):
            token = self._take()
            left = self._call(token.text, (left, parse()), token.place)
        return left

    def _parse_prefixes(self, names: Mapping[str, str], parse: Callable[[], Node]) -> Node:
        """What ``parse`` parses, with these signs before it; "" names one that does nothing."""
        signs = []
        while self._is_next(*names):
            signs.append(self._take())
        tree = parse()
        for token in reversed(signs):
            if name := names[token.text]:
                tree = self._call(name, (tree,), token.place)
        return tree

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(f"it is nested more than {MAX_DEPTH} deep")
        yield
        self._depth -= 1

    def _parse_or(self) -> Node:
        with self._deeper():
            return self._parse_chain(("or",), self._parse_and)

    def _parse_and(self) -> Node:
        return self._parse_chain(("and",), self._parse_not)

    def _parse_not(self) -> Node:
        return self._parse_prefixes({"not": "not"}, self._parse_comparison)

    def _parse_comparison(self) -> Node:
        left = self._parse_sum()
        if self._is_next(*_COMPARISONS):
            token = self._take()
            return self._call(token.text, (left, self._parse_sum()), token.place)
        return left

    def _parse_sum(self) -> Node:
        return self._parse_chain(("+", "-"), self._parse_product)

    def _parse_product(self) -> Node:
        return self._parse_chain(("*", "/"), self._parse_signed)

    def _parse_signed(self) -> Node:
        return self._parse_prefixes({"-": "negative", "+": ""}, self._parse_power)

    def _parse_power(self) -> Node:
        base = self._parse_atom()
        if not self._is_next("**"):
            return base
        token = self._take()
        with self._deeper():
            exponent = self._parse_signed()
        if _is_above(exponent, MAX_EXPONENT):
            self._fail(f"an exponent is at most {MAX_EXPONENT}", token.place)
        return self._call("**", (base, exponent), token.place)

    def _parse_atom(self) -> Node:
        token = self._next
        is_sign = token.kind == "sign" and token.text != "("
        if is_sign or token.kind == "end" or token.text in _WORDS:
            self._fail("a value is needed here")
        self._take()
        if token.kind == "number":
            return Number(float(token.text))
        if token.kind == "text":
            return Text(re.sub(r"\\(.)", r"\1", token.text[1:-1]))
        if token.kind == "column":
            return Column(token.text[1:-1], token.place)
        if token.kind == "sign":
            tree = self._parse_or()
            self._require(")")
            return tree
        if self._is_next("("):
            return self._parse_call(token)
        return Column(token.text, token.place)

    def _parse_call(self, token: _Token) -> Node:
        name = token.text
        if name not in FUNCTIONS:
            self._fail(f"there is no function {name}{suggest(name, FUNCTIONS)}", token.place)
        self._take()
        arguments: list[Node] = []
        while not self._is_next(")"):
            arguments.append(self._parse_or())
            if self._is_next(","):
                if name == "lookup":
                    arguments.append(self._parse_file())
                else:
                    self._take()
            elif not self._is_next(")"):
                self._fail("a comma or ) is needed here")
        self._take()
        least, most = FUNCTIONS[name].least, FUNCTIONS[name].most
        if not least <= len(arguments) <= most:
            takes = f"{least}" if least == most else f"{least} to {most}"
            self._fail(
                f"{name} takes {takes} {'value' if most == 1 else 'values'}, and these are "
                f"{len(arguments)}",
                token.place,
            )
        return self._call(name, tuple(arguments), token.place)

    def _parse_file(self) -> Text:
        """The name of a file, in quotes or not, after the comma that comes next."""
        found = _FILE.match(self._text, self._position)
        if found is None:
            self._take()
            token = self._take()
            if token.kind != "text":
                self._fail("the name of a JSON file is needed here", token.place)
            return Text(token.text[1:-1])
        self._position = found.end()
        self._next = self._read()
        return Text(found[1])


def _is_above(node: Node, most: float) -> bool:
    while isinstance(node, Call) and node.name == "negative":
        (node,) = node.arguments
    return isinstance(node, Number) and node.value > most


def suggest(name: str, names: Iterable[str]) -> str:
    """Ask whether a similar name was meant, or list all of them."""
    listed = list(names)
    if close := difflib.get_close_matches(name, listed, n=1):
        return f" (did you mean {close[0]}?)"
    return f" (there are {', '.join(listed[:30])})"
