"""The tournament's entrants: public sequences, and the numpy forms against the algorithms."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.harness.splitters.algorithms.consistent import Maglev, maglev_table, ring
from benchmarks.harness.splitters.algorithms.dice import draws
from benchmarks.harness.splitters.algorithms.drawn import alias_tables
from benchmarks.harness.splitters.algorithms.entrant import Entrant, Picker, client_key, picked
from benchmarks.harness.splitters.algorithms.hashes import (
    client_hashes,
    client_murmurs,
    fnv1a,
    hash64,
    mixed,
)
from benchmarks.harness.splitters.algorithms.lowdiscrepancy import (
    GOLDEN,
    WHOLE,
    kronecker,
    van_der_corput,
)
from benchmarks.harness.splitters.algorithms.roster import ENTRANTS, NAMES, entrant_named
from benchmarks.harness.splitters.algorithms.rounds import InterleavedRoundRobin, IpvsRoundRobin
from gateway.contract import SPLITTERS
from gateway.splitting.credit import FULL
from gateway.splitting.hashing import murmur2
from gateway.splitting.splitter import make_splitter

HEAVY = {"maglev"}  # a table of 65,537 entries for each split
EXAMPLES = {True: 3, False: 25}
FEW_TURNS, MANY_TURNS = 200, 1_500


def letters(picker: Picker, count: int) -> str:
    return " ".join("ABCDEF"[picker.pick()] for _ in range(count))


@st.composite
def weights(draw: st.DrawFn) -> tuple[int, ...]:
    """Draw 2 to 20 weights in 0.01 %, of which some may be as small as that."""
    spread = draw(st.lists(st.integers(0, 1_000), min_size=2, max_size=20))
    spread[0] += 1
    free = FULL - len(spread)
    found = [1 + free * each // sum(spread) for each in spread]
    found[0] += FULL - sum(found)
    return tuple(found)


whole_percents = st.lists(st.integers(1, 99), min_size=1, max_size=12, unique=True).map(
    lambda cuts: tuple(
        100 * (b - a) for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), 100], strict=True)
    )
)


@pytest.mark.parametrize("entrant", ENTRANTS, ids=lambda entrant: entrant.name)
def test_the_numpy_form_deals_what_the_algorithm_picks(entrant: Entrant) -> None:
    @settings(max_examples=EXAMPLES[entrant.name in HEAVY], deadline=None)
    @given(
        split=weights() | whole_percents,
        seed=st.integers(0, 2**40),
        turns=st.sampled_from([1, 2, FEW_TURNS]),
    )
    def each(split: tuple[int, ...], seed: int, turns: int) -> None:
        seeds = [seed, seed + 1]
        dealt = entrant.deal(split, seeds, turns)
        assert dealt.tolist() == [picked(entrant, split, seed, turns) for seed in seeds]

    each()


@pytest.mark.parametrize("name", SPLITTERS)
@pytest.mark.parametrize(
    "split",
    [(9_000, 1_000), (9_900, 100), (9_000, 500, 500), (100, 200, 400, 800, 1_600, 3_200, 3_700)],
    ids=str,
)
def test_it_is_the_gateways_own_pick(name: str, split: tuple[int, ...]) -> None:
    """Over more than a cycle, and straight from make_splitter."""
    shares = {str(i): weight for i, weight in enumerate(split)}
    seeds = [1, 2, 3]
    for seed, row in zip(seeds, entrant_named(name).deal(split, seeds, MANY_TURNS), strict=True):
        splitter = make_splitter(name, shares, {}, Random(seed))
        found = [splitter.pick_for(client_key(seed, turn)) for turn in range(MANY_TURNS)]
        assert found == row.tolist()


def test_all_of_the_gateways_splitters_take_part() -> None:
    assert set(SPLITTERS) < set(NAMES)
    assert len(set(NAMES)) == len(NAMES)


def test_numpy_draws_what_python_draws() -> None:
    for seed, row in zip([0, 7, 2**70], draws([0, 7, 2**70], 700), strict=True):
        random = Random(seed)
        assert [random.random() for _ in range(700)] == row.tolist()


def test_ipvs_is_the_example_of_its_manual() -> None:
    """linuxvirtualserver.org, Job Scheduling Algorithms: weights 4, 3, 2 give AABABCABC."""
    assert letters(IpvsRoundRobin([4, 3, 2]), 18) == " ".join("AABABCABC" * 2)


def test_ipvs_keeps_its_limit_over_a_change() -> None:
    """ip_vs_wrr_dest_changed: cw stays, cut to a multiple of the new divisor plus 1."""
    before = IpvsRoundRobin([4, 3, 2])
    letters(before, 3)
    assert before.limit == 3
    assert letters(IpvsRoundRobin([4, 3, 2], before.limit), 5) == "A B A B C"
    assert IpvsRoundRobin([90, 10], 35).limit == 31
    assert IpvsRoundRobin([50, 50], 81).limit == 1


def test_interleaved_rounds_are_those_of_the_example() -> None:
    """Weights 5, 2, 3: rounds of A B C, A B C, A C, A, A (Wikipedia, Weighted round robin)."""
    assert letters(InterleavedRoundRobin([5, 2, 3]), 12) == "A B C A B C A C A A A B"


def test_van_der_corputs_points_are_the_known_ones() -> None:
    points = [van_der_corput(n) / WHOLE for n in range(8)]
    assert points == [0, 1 / 2, 1 / 4, 3 / 4, 1 / 8, 5 / 8, 3 / 8, 7 / 8]


def test_kroneckers_points_are_multiples_of_the_golden_ratio() -> None:
    golden = (5**0.5 - 1) / 2
    assert GOLDEN % 2 == 1
    assert all(abs(kronecker(n) / WHOLE - n * golden % 1) < 1e-12 for n in range(1, 500))


def test_maglevs_table_is_the_papers() -> None:
    """Table 1 of the paper: seven entries, offsets 3, 0, 3 and skips 4, 2, 1."""
    preferences = [(3, 4), (0, 2), (3, 1)]
    assert maglev_table([1, 1, 1], preferences, 7) == [1, 0, 1, 0, 2, 2, 0]
    assert maglev_table([1, 1], [preferences[0], preferences[2]], 7) == [0, 0, 0, 0, 1, 1, 1]


def test_maglevs_table_has_the_shares_to_an_entry() -> None:
    table = Maglev((9_000, 700, 300)).table
    assert all(
        abs(table.count(i) - len(table) * share) <= 3 for i, share in enumerate((0.9, 0.07, 0.03))
    )


def test_a_ring_has_points_by_weight() -> None:
    """Envoy: of 1,024 points and more, so that the smallest share has a whole number."""
    points, owners = ring((9_900, 100))
    assert [owners.count(i) for i in range(2)] == [1_089, 11]
    assert list(points) == sorted(points)


@pytest.mark.parametrize(
    "split", [(1, 1), (9_900, 100), (1, 2, 3, 4), (50, 30, 10, 10), (1, 98, 1)], ids=str
)
def test_alias_tables_give_each_target_exactly_its_share(split: tuple[int, ...]) -> None:
    heights, aliases = alias_tables(split)
    full, got = sum(split), [0] * len(split)
    for column, (height, alias) in enumerate(zip(heights, aliases, strict=True)):
        got[column] += height
        got[alias] += full - height
    assert got == [weight * len(split) for weight in split]
    assert all(0 <= height <= full for height in heights)


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", 0xCBF29CE484222325), (b"a", 0xAF63DC4C8601EC8C), (b"foobar", 0x85944171F73967E8)],
)
def test_fnv1a_hashes_as_its_authors_vectors(data: bytes, expected: int) -> None:
    assert fnv1a(data) == expected


def test_the_mixer_is_splitmix64s() -> None:
    """The first number of SplitMix64 with seed 1234567, as published with its C source."""
    assert mixed((1_234_567 + 0x9E3779B97F4A7C15) % WHOLE) == 6_457_827_717_110_365_317


def test_keys_hash_alike_one_by_one_and_together() -> None:
    hashes, murmurs = client_hashes([3, 2**33 + 5], 40), client_murmurs([3, 2**33 + 5], 40)
    for row, seed in enumerate([3, 2**33 + 5]):
        keys = [client_key(seed, turn) for turn in range(40)]
        assert hashes[row].tolist() == [hash64(key) for key in keys]
        assert murmurs[row].tolist() == [murmur2(key) for key in keys]


@pytest.mark.parametrize("name", ["maglev", "rendezvous", "ring-hash"])
def test_a_key_has_one_target_and_few_move_when_a_share_grows(name: str) -> None:
    entrant = entrant_named(name)
    before = entrant.make((9_000, 1_000), Random(1))
    after = entrant.change(before, (8_500, 1_500), Random(1))
    keys = [client_key(1, turn) for turn in range(3_000)]
    moved = sum(before.pick_for(key) != after.pick_for(key) for key in keys)
    assert [before.pick_for(key) for key in keys] == [before.pick_for(key) for key in keys]
    assert 0 < moved < 3_000 * 0.15  # 5 % must; a modulus would move about 22 %


@pytest.mark.parametrize("name", ["golden-ratio", "van-der-corput"])
def test_a_counter_goes_on_over_a_change(name: str) -> None:
    entrant = entrant_named(name)
    whole = picked(entrant, (9_000, 1_000), 1, 60)
    before = entrant.make((9_000, 1_000), Random(1))
    for _ in range(20):
        before.pick()
    after = entrant.change(before, (9_000, 1_000), Random(1))
    assert [after.pick() for _ in range(40)] == whole[20:]
