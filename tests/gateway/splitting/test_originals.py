"""The algorithms of others, by the sequences that their own threads, tests and manuals publish."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contract import SPLITTERS
from gateway.splitting.edf import EarliestDeadlineFirst
from gateway.splitting.hashing import HashRanges, murmur2
from gateway.splitting.smooth import SmoothWeightedRoundRobin
from gateway.splitting.splitter import make_splitter
from gateway.splitting.stride import StaticStride, scaled
from gateway.splitting.turns import Splitter

DETERMINISTIC = ["exact", "smooth-wrr", "edf", "static-stride"]


def turns(splitter: Splitter, count: int) -> list[int]:
    return [splitter.pick() for _ in range(count)]


def counts(splitter: Splitter, count: int) -> list[int]:
    found = turns(splitter, count)
    return [found.count(i) for i in range(len(splitter.credit))]


def letters(splitter: Splitter, count: int) -> str:
    return " ".join("abcdef"[i] for i in turns(splitter, count))


def test_smooth_wrr_is_nginxs_example() -> None:
    """The message of nginx's commit 52327e0627f4: { 5, 1, 1 } gives a a b a c a a."""
    smooth = SmoothWeightedRoundRobin([5, 1, 1], [0, 0, 0])
    assert letters(smooth, 14) == "a a b a c a a a a b a c a a"


def test_smooth_wrr_keeps_the_current_weights_of_nginxs_example() -> None:
    smooth = SmoothWeightedRoundRobin([5, 1, 1], [0, 0, 0])
    seen = [(smooth.pick(), tuple(smooth.credit)) for _ in range(7)]
    assert [credit for _, credit in seen] == [
        *((-2, 1, 1), (-4, 2, 2), (1, -4, 3), (-1, -3, 4), (4, -2, -2), (2, -1, -1), (0, 0, 0))
    ]


def test_edf_is_traefiks_example() -> None:
    """Traefik's pull request 6206, and TestBalancerBias."""
    assert letters(EarliestDeadlineFirst([11, 3]), 14) == "a a a b a a a a b a a a b a"


def test_edf_of_equal_weights_is_round_robin() -> None:
    """Envoy's EdfSchedulerTest.Unweighted: 128 rounds over 128 entries, in their order."""
    edf = EarliestDeadlineFirst([1] * 128)
    assert turns(edf, 128 * 128) == list(range(128)) * 128


def test_edf_of_distinct_weights_gives_each_its_weight() -> None:
    """Envoy's EdfSchedulerTest.Weighted."""
    weights = list(range(1, 129))
    assert counts(EarliestDeadlineFirst(weights), sum(weights)) == weights


def test_edf_serves_the_heavy_one_first_however_often_it_begins() -> None:
    """Envoy's issue 31378, the first-pick problem: a fleet's first 16 x 50 requests have none."""
    assert all(turns(EarliestDeadlineFirst([99, 1]), 50) == [0] * 50 for _ in range(16))


@pytest.mark.parametrize(
    ("weights", "picks", "expected"),
    [
        pytest.param([1, 2, 3], 6, [1, 2, 3], id="PicksAreWeightedExactly"),
        pytest.param([81, *[1] * 19], 69, [50, *[1] * 19], id="MaxIsClampedForHighRatio"),
        pytest.param([10**12, 1], 201, [200, 1], id="MinIsClampedForHighRatio"),
        pytest.param([999, 1], 20_100, [20_000, 100], id="999:1 is 0.5 % and not 0.1 %"),
    ],
)
def test_static_stride_counts_as_grpcs_own_tests(
    weights: list[int], picks: int, expected: list[int]
) -> None:
    assert counts(StaticStride(weights, 0), picks) == expected


def test_static_stride_picks_the_largest_in_every_generation() -> None:
    """gRPC's LargestIsPickedEveryGeneration: 65,535 of 2 x 65,535."""
    assert counts(StaticStride([1, 2, 3], 0), 2 * 65_535)[2] == 65_535


def test_static_stride_of_equal_weights_is_round_robin() -> None:
    """gRPC's AllWeightsEqualIsRoundRobin."""
    assert turns(StaticStride([300, 300, 300], 0), 999) == [0, 1, 2] * 333


def test_static_stride_follows_from_its_number_alone() -> None:
    """gRPC's RebuildGiveSamePicks, and the number that begins again after 32 bits."""
    whole, sequence, rebuilt = StaticStride([1, 2, 3], 0), 0, []
    for _ in range(100):
        each = StaticStride([1, 2, 3], sequence)
        rebuilt.append(each.pick())
        sequence = each.sequence
    assert rebuilt == turns(whole, 100)
    last = StaticStride([1, 1], 2**32 - 1)
    assert (turns(last, 3), last.sequence) == ([1, 0, 1], 2)


@pytest.mark.parametrize("weights", [[9_990, 10], [9_999, 1], [10_000, 1, 1], [5, 5]], ids=str)
def test_static_strides_weights_stay_in_16_bits_and_above_nothing(weights: list[int]) -> None:
    made = scaled(weights)
    assert max(made) == 65_535
    assert min(made) >= 1


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param((123_456).to_bytes(4, "little"), 623_211_862, id="a word"),
        pytest.param(b"\x03", 3_533_626_746, id="a byte"),
        pytest.param((-154_477).to_bytes(8, "little", signed=True), 2_708_309_598, id="2 words"),
        pytest.param(b"foo", 2_414_502_773, id="foo"),
        pytest.param(b"bar", 670_491_991, id="bar"),
        pytest.param(b"", 0, id="nothing"),
    ],
)
def test_murmur2_hashes_as_the_published_vectors_of_seed_0(data: bytes, expected: int) -> None:
    """The vectors are those of ClickHouse's murmurHash2_32."""
    assert murmur2(data) == expected


def test_hash_ranges_end_where_nginxs_manual_says() -> None:
    """ngx_http_split_clients_module: 0.5 % to 21474835, 2 % more to 107374180, then the rest."""
    assert HashRanges([50, 200, 9_750]).ends == [21_474_836, 107_374_181]


@given(key=st.binary(max_size=20), low=st.integers(1, 99), more=st.integers(0, 99))
def test_a_canary_that_comes_first_keeps_its_keys_while_it_grows(
    key: bytes, low: int, more: int
) -> None:
    high = min(99, low + more)
    before = HashRanges([low * 100, (100 - low) * 100]).pick_for(key)
    after = HashRanges([high * 100, (100 - high) * 100]).pick_for(key)
    assert (before, after) != (0, 1)


def test_hash_ranges_split_many_keys_by_share() -> None:
    ranges = HashRanges([2_500, 7_500])
    got = sum(ranges.pick_for(b"user-%d" % i) for i in range(10_000))
    assert abs(got - 7_500) < 5 * 43  # five times sqrt(n p (1-p))


@pytest.mark.parametrize("name", SPLITTERS)
def test_chances_say_what_the_next_pick_is(name: str) -> None:
    splitter = make_splitter(name, {"a": 6_300, "b": 2_700, "c": 1_000}, {}, Random(5))
    for i in range(500):
        key = b"key-%d" % i
        chances = splitter.chances_for(key)
        assert sum(chances) == pytest.approx(1)
        picked = splitter.pick_for(key)
        assert chances[picked] > 0
        if name in {*DETERMINISTIC, "hash-ranges"}:
            assert chances[picked] == 1.0


@pytest.mark.parametrize("name", SPLITTERS)
def test_a_hundred_targets_and_one_of_a_hundredth_percent_are_served(name: str) -> None:
    shares = {str(i): 100 for i in range(99)} | {"least": 1}
    splitter = make_splitter(name, shares, {}, Random(5))
    assert all(0 <= splitter.pick_for(b"%d" % i) < 100 for i in range(2_000))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("smooth-wrr", 1, id="smooth-wrr goes on: one is owed"),
        pytest.param("exact", 1, id="exact goes on"),
        pytest.param("edf", 0, id="edf begins anew"),
    ],
)
def test_what_is_owed_over_a_change_of_weights(name: str, expected: int) -> None:
    """After 9 turns of 95/5 the second is owed 0.45; at 94/6 it gets its first within one."""
    before = make_splitter(name, {"a": 95, "b": 5}, {}, Random(1))
    turns(before, 9)
    owed = dict(zip("ab", before.credit, strict=True))
    after = make_splitter(name, {"a": 94, "b": 6}, owed, Random(1), before)
    assert sum(turns(after, 2)) == expected


def test_static_strides_number_goes_on_over_a_change_of_weights() -> None:
    before = make_splitter("static-stride", {"a": 50, "b": 50}, {}, Random(1))
    turns(before, 7)
    after = make_splitter("static-stride", {"a": 50, "b": 30, "c": 20}, {}, Random(2), before)
    assert isinstance(before, StaticStride)
    assert isinstance(after, StaticStride)
    assert after.sequence == before.sequence
