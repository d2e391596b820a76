"""Who gets a worker's threads."""

from dataclasses import dataclass

from integrations.webhooks.lanes import LANES_PER_ENDPOINT, Lanes


@dataclass(frozen=True)
class One:
    endpoint_id: str
    is_ordered: bool = False
    is_suspect: bool = False


def test_they_are_spread_evenly() -> None:
    lanes = Lanes(8)
    chosen = lanes.choose([One("a"), One("b"), One("c"), One("d")])
    assert sorted(one.endpoint_id for one in chosen) == [*"aabbccdd"]
    assert lanes.free == 0
    assert lanes.choose([One("e")]) == []


def test_one_endpoint_gets_so_many_at_most() -> None:
    lanes = Lanes(16)
    assert len(lanes.choose([One("a")])) == LANES_PER_ENDPOINT
    assert lanes.choose([One("a")]) == []
    lanes.give_back(One("a"))
    assert len(lanes.choose([One("a")])) == 1


def test_order_and_failures_take_one() -> None:
    lanes = Lanes(16)
    assert len(lanes.choose([One("a", is_ordered=True), One("b", is_suspect=True)])) == 2
    assert lanes.choose([One("a", is_ordered=True), One("b", is_suspect=True)]) == []


def test_all_that_fail_take_half_at_most() -> None:
    lanes = Lanes(8)
    failing = [One(str(number), is_suspect=True) for number in range(20)]
    assert len(lanes.choose(failing)) == 4
    assert lanes.free == 4
    assert len(lanes.choose([*failing, One("well")])) == LANES_PER_ENDPOINT
    lanes.give_back(failing[0])


def test_a_failing_one_still_has_its_turn_where_there_is_one_thread() -> None:
    lanes = Lanes(1)
    one = One("a", is_suspect=True)
    assert lanes.choose([one]) == [one]
    lanes.give_back(one)
    assert lanes.choose([one]) == [one]
