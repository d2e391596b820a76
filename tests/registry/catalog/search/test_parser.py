"""Filters: what they mean, and where they go wrong."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intmod_site.api.errors import ValidationFailed
from registry.catalog.search.order import VERSION_ORDERS, keyset_of
from registry.catalog.search.parser import parse_filter
from registry.catalog.search.tree import All, Comparison, Not, Some


def plain(node: object) -> object:
    """Give a tree without its positions."""
    if isinstance(node, All | Some):
        return (type(node).__name__, *map(plain, node.parts))
    if isinstance(node, Not):
        return ("Not", plain(node.part))
    assert isinstance(node, Comparison)
    return (str(node.field), node.operator, *node.values)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("name = 'a'", ("name", "=", "a")),
        ('name = "a"', ("name", "=", "a")),
        ("name='it''s'", ("name", "=", "it's")),
        ("NAME != 'a'", ("name", "!=", "a")),
        ("name <> 'a'", ("name", "!=", "a")),
        ("name like 'a%'", ("name", "LIKE", "a%")),
        ("tags.`my key` ILIKE '%x'", ("tags.my key", "ILIKE", "%x")),
        ('tag."my key" = \'x\'', ("tag.my key", "=", "x")),
        ("tags.mlflow.prompt.is_prompt != 'true'", ("tags.mlflow.prompt.is_prompt", "!=", "true")),
        ("tags.`mlflow.prompt.is_prompt` = 'a'", ("tags.mlflow.prompt.is_prompt", "=", "a")),
        ("version_number >= 3", ("version_number", ">=", 3)),
        ("metrics.latency_ms.p95 < 800.5", ("metrics.latency_ms.p95", "<", 800.5)),
        ("metrics.a < -1e3", ("metrics.a", "<", -1000.0)),
        ("metrics.`a b`.p95 < 1", ("metrics.a b.p95", "<", 1)),
        ("is_active = TRUE", ("is_active", "=", True)),
        ("aliases.champion", ("aliases.champion", "HAS")),
        ("name IN ('a', 'b')", ("name", "IN", "a", "b")),
        ("name not in ('a')", ("Not", ("name", "IN", "a"))),
        ("tags.x IS NULL", ("tags.x", "NULL")),
        ("tags.x is not null", ("Not", ("tags.x", "NULL"))),
        (
            "name = 'a' AND number = 1 OR NOT (number = 2)",
            ("Some", ("All", ("name", "=", "a"), ("number", "=", 1)), ("Not", ("number", "=", 2))),
        ),
        (
            "a = 1 and (b = 2 or c = 3)",
            ("All", ("a", "=", 1), ("Some", ("b", "=", 2), ("c", "=", 3))),
        ),
    ],
)  # fmt: skip
def test_what_a_filter_means(text: str, tree: object) -> None:
    parsed = parse_filter(text)
    assert plain(parsed) == tree


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_an_empty_filter_is_none(text: str) -> None:
    assert parse_filter(text) is None


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("name =", 7, "expected a 'text' or a number, found the end"),
        ("name 'a'", 6, "expected an operator"),
        ("= 'a'", 1, "expected the name of a field, found '='"),
        ("name = 'a' name", 12, "expected AND, OR or the end"),
        ("name = 'a", 8, "this text has no end"),
        ("name = 'a' AND", 15, "expected the name of a field, found the end"),
        ("(name = 'a'", 12, "expected )"),
        ("name IN 'a'", 9, "expected ("),
        ("name IN ()", 10, "expected a 'text' or a number"),
        ("name IS 5", 9, "expected NULL"),
        ("name ; 'a'", 6, "this belongs to no filter"),
        ("tags. = 'a'", 6, "expected a key after the dot"),
        ("(" * 30 + "a = 1" + ")" * 30, 22, "levels deep"),
        ("NOT " * 30 + "a = 1", 85, "levels deep"),
        (" AND ".join(["a = 1"] * 51), 501, "at most 50 comparisons"),
        ("a = 1" * 1000, 4001, "at most 4000 characters"),
        ("a = 1e999", 5, "expected a smaller number"),
    ],
)
def test_where_a_filter_goes_wrong(text: str, position: int, said: str) -> None:
    with pytest.raises(ValidationFailed) as raised:
        parse_filter(text)
    assert said in raised.value.message
    assert f"At character {position}:" in raised.value.message
    assert raised.value.fields[0].path == "/filter"


@given(st.text(alphabet="abINNOTDR.'\"`()=<>!,0129e-+ %_\n\x00ü", max_size=60))
def test_any_text_is_a_tree_or_a_refusal(text: str) -> None:
    # Anything else that is raised fails the test.
    with suppress(ValidationFailed):
        parse_filter(text)


def test_positions_count_from_one() -> None:
    parsed = parse_filter("  name = 'a'")
    assert isinstance(parsed, Comparison)
    assert (parsed.field.position, parsed.position) == (3, 8)


@pytest.mark.parametrize(
    ("text", "keyset"),
    [
        ("", ("-created_at", "id")),
        ("name", ("model__name", "id")),
        ("name asc, version_number DESC", ("model__name", "-number", "id")),
        ("`name` DESC, name ASC", ("-model__name", "id")),
    ],
)
def test_orders(text: str, keyset: tuple[str, ...]) -> None:
    assert keyset_of(text, VERSION_ORDERS, default=("-created_at",)) == keyset


@pytest.mark.parametrize("text", ["x", "name up", "name,", ",", "name;", "tags.a", "name," * 7])
def test_odd_orders(text: str) -> None:
    with pytest.raises(ValidationFailed) as raised:
        keyset_of(text, VERSION_ORDERS, default=("id",))
    assert raised.value.fields[0].path == "/order_by"
