"""Both engines map, keep, and add up in order."""

import operator

import numpy as np
import pytest

from sklearn_distill.chunks import LocalChunks, add, local


def local_blocks(things):
    return LocalChunks([lambda thing=thing: thing for thing in things])


def dask_blocks(things):
    dask = pytest.importorskip("dask")
    from sklearn_distill.chunks._dask import DaskChunks

    return DaskChunks([dask.delayed(thing) for thing in things])


@pytest.fixture(params=[local_blocks, dask_blocks])
def blocks_of(request):
    return request.param


@pytest.mark.parametrize("n_blocks", [1, 2, 8, 9, 70])
def test_results_are_combined_in_order(blocks_of, n_blocks):
    words = [f"{i}," for i in range(n_blocks)]
    blocks = blocks_of(words)
    assert blocks.n_blocks == n_blocks
    assert blocks.total(str) == "".join(words)
    assert blocks.total(operator.add, "!", combine=operator.add) == "".join(w + "!" for w in words)
    assert blocks.each(len) == [len(word) for word in words]


def test_maps_are_of_the_same_block(blocks_of):
    blocks = blocks_of([1, 2, 3])
    pairs = blocks.map(lambda one, other: (one, other), blocks.beside("abc"))
    assert pairs.each(lambda pair: pair) == [(1, "a"), (2, "b"), (3, "c")]


def test_numbers_and_arrays_are_added_place_by_place(blocks_of):
    blocks = blocks_of([(1, (np.ones(2), 2.0)), (3, (np.arange(2), 4.0))])
    n, (array, number) = blocks.total(lambda thing: thing)
    assert (n, array.tolist(), number) == (4, [1.0, 2.0], 6.0)
    assert add(1, 2) == 3


def test_two_engines_do_not_mix():
    with pytest.raises(TypeError, match="blocks of two engines"):
        local_blocks([1]).map(add, dask_blocks([1]))
    with pytest.raises(TypeError, match="blocks of two engines"):
        dask_blocks([1]).map(add, local_blocks([1]))


class Maker:
    """Counts how often it makes its array."""

    def __init__(self):
        self.n_made = 0

    def __call__(self):
        self.n_made += 1
        return np.zeros(10)  # 80 bytes


@pytest.mark.parametrize(("room", "n_kept"), [(0, 0), (80, 1), (239, 2), (1000, 3)])
def test_as_much_is_kept_as_there_is_room_for(monkeypatch, room, n_kept):
    monkeypatch.setattr(local, "ROOM", room)
    makers = [Maker() for _ in range(3)]
    kept = LocalChunks(makers).kept()
    for _ in range(4):
        assert kept.total(np.size) == 30
    assert [maker.n_made for maker in makers] == [1] * n_kept + [4] * (3 - n_kept)


def test_dask_keeps_by_making_once():
    dask = pytest.importorskip("dask")
    from sklearn_distill.chunks._dask import DaskChunks

    makers = [Maker() for _ in range(3)]
    kept = DaskChunks([dask.delayed(maker)() for maker in makers]).kept()
    for _ in range(2):
        assert kept.total(np.size) == 30
    made = DaskChunks([dask.delayed(maker)() for maker in makers])
    made.total(np.size)
    assert [maker.n_made for maker in makers] == [2, 2, 2]
