"""From a filter's text to its tree. Pure.

MLflow's grammar (https://mlflow.org/docs/latest/ml/search/search-models/) is a part of it:

    expression := term (OR term)*
    term       := factor (AND factor)*
    factor     := NOT factor | "(" expression ")" | comparison
    comparison := field
                | field ("=" | "!=" | "<" | "<=" | ">" | ">=" | LIKE | ILIKE) value
                | field [NOT] IN "(" value ("," value)* ")"
                | field IS [NOT] NULL
    field      := word ["." key]       a key with other characters stands in backticks or quotes
    value      := 'text' | "text" | number | true | false       a quote in a text is doubled
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from registry.catalog.search.tree import (
    ORDERINGS,
    PATTERNS,
    All,
    Comparison,
    Field,
    Node,
    Not,
    Some,
    Value,
    refuse,
)

MAX_LENGTH = 4000
MAX_COMPARISONS = 50
MAX_DEPTH = 20
MAX_VALUES = 500

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
    | (?P<number>[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?(?![\w.]))
    | (?P<word>[A-Za-z_][\w.:/-]*(?:(?<=\.)(?:`[^`]+`|"[^"]+")(?:\.\w+)?)?)
    | (?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,)
    )""",
    re.VERBOSE | re.ASCII,
)
_KEYWORDS = {"AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "ILIKE", "TRUE", "FALSE"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int

    @property
    def found(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text[:40])


def parse_filter(text: str) -> Node | None:
    """Give the tree of a filter; None for an empty one.

    Raises:
        ValidationFailed: It is no filter; names the position and what was expected there.
    """
    if len(text) > MAX_LENGTH:
        raise refuse(f"a filter has at most {MAX_LENGTH} characters.", position=MAX_LENGTH + 1)
    tokens = _tokens(text)
    if tokens[0].kind == "end":
        return None
    parser = _Parser(tokens)
    tree = parser.expression(0)
    if parser.current.kind != "end":
        raise parser.expected("AND, OR or the end")
    return tree


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            what = "this text has no end" if text[at] in "'\"`" else "this belongs to no filter"
            raise refuse(f"{what}: {text[at : at + 20]!a}.", position=at + 1)
        kind = match.lastgroup or ""
        word, position = match.group(kind), match.start(kind) + 1
        if kind == "word" and word.upper() in _KEYWORDS:
            kind, word = "keyword", word.upper()
        tokens.append(_Token(kind, "!=" if word == "<>" else word, position))
        at = match.end()
    return [*tokens, _Token("end", "", len(text) + 1)]


class _Parser:
    """Recursive descent, one token ahead."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.index = 0
        self.comparisons = 0

    @property
    def current(self) -> _Token:
        return self.tokens[self.index]

    def expected(self, what: str) -> Exception:
        token = self.current
        return refuse(f"expected {what}, found {token.found}.", position=token.position)

    def take(self, *words: str) -> _Token | None:
        token = self.current
        if token.kind not in {"keyword", "sign"} or token.text not in words:
            return None
        self.index += 1
        return token

    def need(self, word: str) -> None:
        if self.take(word) is None:
            raise self.expected(word)

    def expression(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise refuse(f"at most {MAX_DEPTH} levels deep.", position=self.current.position)
        return self._series("OR", lambda: self.term(depth), Some)

    def term(self, depth: int) -> Node:
        return self._series("AND", lambda: self.factor(depth), All)

    def _series(
        self, word: str, part: Callable[[], Node], join: Callable[[tuple[Node, ...]], Node]
    ) -> Node:
        parts = [part()]
        while self.take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else join(tuple(parts))

    def factor(self, depth: int) -> Node:
        if self.take("NOT"):
            if depth >= MAX_DEPTH:
                raise refuse(f"at most {MAX_DEPTH} levels deep.", position=self.current.position)
            return Not(self.factor(depth + 1))
        if self.take("("):
            inner = self.expression(depth + 1)
            self.need(")")
            return inner
        return self.comparison()

    def comparison(self) -> Node:
        field = self.field()
        self.comparisons += 1
        if self.comparisons > MAX_COMPARISONS:
            raise refuse(f"at most {MAX_COMPARISONS} comparisons.", position=field.position)
        position = self.current.position
        if sign := self.take(*ORDERINGS, *PATTERNS):
            return Comparison(field, sign.text, (self.value(),), position)
        if self.take("IN"):
            return Comparison(field, "IN", self.values(), position)
        if self.take("IS"):
            negated = self.take("NOT")
            self.need("NULL")
            null = Comparison(field, "NULL", (), position)
            return Not(null) if negated else null
        if self.take("NOT"):
            self.need("IN")
            return Not(Comparison(field, "IN", self.values(), position))
        if self.current.kind == "end" or self.current.text in {"AND", "OR", ")"}:
            return Comparison(field, "HAS", (), field.position)
        raise self.expected("an operator")

    def field(self) -> Field:
        token = self.current
        if token.kind != "word":
            raise self.expected("the name of a field")
        self.index += 1
        entity, dot, key = token.text.partition(".")
        if dot and not key:
            raise refuse("expected a key after the dot.", position=token.position + len(entity) + 1)
        if key and key[0] in '`"':
            inner, _, rest = key[1:].rpartition(key[0])
            key = inner + rest
        return Field(entity.lower(), key, token.position)

    def values(self) -> tuple[Value, ...]:
        self.need("(")
        values = [self.value()]
        while self.take(","):
            values.append(self.value())
        if len(values) > MAX_VALUES:
            raise refuse(f"at most {MAX_VALUES} values.", position=self.current.position)
        self.need(")")
        return tuple(values)

    def value(self) -> Value:
        token = self.current
        if word := self.take("TRUE", "FALSE"):
            return word.text == "TRUE"
        if token.kind not in {"text", "number"}:
            raise self.expected("a 'text' or a number")
        self.index += 1
        if token.kind == "text":
            quote = token.text[0]
            return token.text[1:-1].replace(quote * 2, quote)
        number = float(token.text)
        if number in {float("inf"), float("-inf")}:
            raise refuse("expected a smaller number.", position=token.position)
        return int(token.text) if re.fullmatch(r"[-+]?\d{1,18}", token.text) else number
