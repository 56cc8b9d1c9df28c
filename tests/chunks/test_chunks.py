"""Local and Dask chunks map, persist, and combine in order."""

import operator

import numpy as np
import pytest

from sklearn_distill.chunks import LocalChunks, add, local


def local_chunks(values):
    return LocalChunks([lambda value=value: value for value in values])


def dask_chunks(values):
    dask = pytest.importorskip("dask")
    from sklearn_distill.chunks._dask import DaskChunks

    return DaskChunks([dask.delayed(value) for value in values])


@pytest.fixture(params=[local_chunks, dask_chunks])
def make_chunks(request):
    return request.param


@pytest.mark.parametrize("n_chunks", [1, 2, 8, 9, 70])
def test_results_are_combined_in_order(make_chunks, n_chunks):
    words = [f"{i}," for i in range(n_chunks)]
    chunks = make_chunks(words)
    assert chunks.n_chunks == n_chunks
    assert chunks.map_reduce(str) == "".join(words)
    assert chunks.map_reduce(operator.add, "!", combine=operator.add) == "".join(
        w + "!" for w in words
    )
    assert chunks.map_to_list(len) == [len(word) for word in words]


def test_map_pairs_values_of_the_same_chunk(make_chunks):
    chunks = make_chunks([1, 2, 3])
    pairs = chunks.map(lambda left, right: (left, right), chunks.with_values("abc"))
    assert pairs.map_to_list(lambda pair: pair) == [(1, "a"), (2, "b"), (3, "c")]


def test_tuples_of_numbers_and_arrays_are_added_elementwise(make_chunks):
    chunks = make_chunks([(1, (np.ones(2), 2.0)), (3, (np.arange(2), 4.0))])
    n, (array, number) = chunks.map_reduce(lambda value: value)
    assert (n, array.tolist(), number) == (4, [1.0, 2.0], 6.0)
    assert add(1, 2) == 3


def test_local_and_dask_chunks_do_not_mix():
    with pytest.raises(TypeError, match="cannot combine LocalChunks with DaskChunks: pass"):
        local_chunks([1]).map(add, dask_chunks([1]))
    with pytest.raises(TypeError, match="cannot combine DaskChunks with LocalChunks: pass"):
        dask_chunks([1]).map(add, local_chunks([1]))


class Factory:
    """Counts how often it computes its array."""

    def __init__(self):
        self.n_calls = 0

    def __call__(self):
        self.n_calls += 1
        return np.zeros(10)  # 80 bytes


@pytest.mark.parametrize(("limit", "n_persisted"), [(0, 0), (80, 1), (239, 2), (1000, 3)])
def test_persist_stays_within_the_memory_limit(monkeypatch, limit, n_persisted):
    monkeypatch.setattr(local, "PERSIST_BYTES", limit)
    factories = [Factory() for _ in range(3)]
    persisted = LocalChunks(factories).persist()
    for _ in range(4):
        assert persisted.map_reduce(np.size) == 30
    assert [factory.n_calls for factory in factories] == [1] * n_persisted + [4] * (3 - n_persisted)


def test_dask_persists_by_computing_once():
    dask = pytest.importorskip("dask")
    from sklearn_distill.chunks._dask import DaskChunks

    factories = [Factory() for _ in range(3)]
    persisted = DaskChunks([dask.delayed(factory)() for factory in factories]).persist()
    for _ in range(2):
        assert persisted.map_reduce(np.size) == 30
    lazy = DaskChunks([dask.delayed(factory)() for factory in factories])
    lazy.map_reduce(np.size)
    assert [factory.n_calls for factory in factories] == [2, 2, 2]


def test_all_functions_of_a_dask_chunk_run_in_one_task():
    """So that a worker does not take up the next chunk between two of them."""
    dask = pytest.importorskip("dask")
    from sklearn_distill.chunks._dask import DaskChunks

    tasks = []
    chunks = DaskChunks([dask.delayed(value) for value in (1, 2, 3)])
    mapped = chunks.map(add, chunks.with_values([10, 20, 30])).map(float).map(abs)
    with dask.callbacks.Callback(pretask=lambda key, *_: tasks.append(key.split("-")[0])):
        assert mapped.map_to_list(pow, 2) == [121.0, 484.0, 1089.0]
    assert not {"add", "float", "abs"}.intersection(tasks)
    assert tasks.count("pow") == 3
