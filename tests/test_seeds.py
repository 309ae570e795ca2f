import numpy as np
import pytest
import torch

from lrbench.seeds import batches, is_fixed, sizes, start, steps_per_epoch


def test_a_pass_takes_every_row_once_and_keeps_the_short_last_batch():
    one = list(batches(10, 4, "shuffled", seed=3, steps=3))
    assert [len(rows) for rows in one] == [4, 4, 2]
    assert sorted(np.concatenate(one)) == list(range(10))


def test_each_epoch_is_a_fresh_order_that_the_seed_fixes():
    order = [np.concatenate(list(batches(50, 50, "shuffled", seed, steps=2))) for seed in (0, 0, 1)]
    assert np.array_equal(order[0], order[1])
    assert not np.array_equal(order[0], order[2])
    assert not np.array_equal(order[0][:50], order[0][50:])


def test_a_longer_run_starts_with_the_same_batches():
    short, long = (list(batches(7, 3, "shuffled", 0, steps)) for steps in (4, 9))
    assert all(np.array_equal(a, b) for a, b in zip(short, long, strict=False))


def test_sequential_batches_are_in_order():
    assert np.array_equal(np.concatenate(list(batches(5, 2, "sequential", 0, 6))), [0, 1, 2, 3, 4] * 2)


def test_with_replacement_all_batches_are_full_and_rows_come_again():
    """Each row as often as any other, within five standard deviations."""
    drawn = list(batches(10, 4, "replacement", seed=3, steps=6000))
    assert {len(rows) for rows in drawn} == {4}
    counts = np.bincount(np.concatenate(drawn), minlength=10)
    assert len(counts) == 10
    assert np.abs(counts - 2400).max() < 5 * np.sqrt(2400 * 0.9)
    repeated = np.mean([len(set(rows.tolist())) < 4 for rows in drawn])
    assert abs(repeated - (1 - 10 * 9 * 8 * 7 / 10**4)) < 5 * np.sqrt(0.25 / 6000)


def test_with_replacement_a_batch_may_be_as_large_as_the_data():
    (rows,) = batches(10, 10, "replacement", seed=0, steps=1)
    assert len(rows) == 10
    assert len(set(rows.tolist())) < 10


@pytest.mark.parametrize("order", ["shuffled", "sequential", "replacement"])
@pytest.mark.parametrize("batch_size", [1, 3, 4, 7])
def test_the_seed_fixes_batches_however_long_the_run(order, batch_size):
    one, same, other, longer = (
        list(batches(7, batch_size, order, seed, steps))
        for seed, steps in ((5, 20), (5, 20), (6, 20), (5, 33))
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(one, longer, strict=False))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True)) == is_fixed(batch_size, order)


@pytest.mark.parametrize("order", ["shuffled", "sequential", "replacement"])
@pytest.mark.parametrize(("n", "batch_size"), [(7, 1), (7, 3), (6, 3), (7, 7), (1, 1)])
@pytest.mark.parametrize("steps", [1, 2, 3, 10])
def test_sizes_are_those_of_the_batches(n, batch_size, order, steps):
    assert sizes(n, batch_size, order, steps).tolist() == [
        len(rows) for rows in batches(n, batch_size, order, 0, steps)
    ]


def test_all_rows_are_a_batch_of_n():
    assert sizes(7, None, "sequential", 3).tolist() == [7, 7, 7]
    assert list(batches(7, None, "sequential", 0, 2)) == [slice(None)] * 2
    assert is_fixed(None, "shuffled")


@pytest.mark.parametrize(("n", "batch_size", "steps"), [(10, None, 1), (10, 10, 1), (10, 3, 4), (1, 1, 1)])
def test_steps_per_epoch(n, batch_size, steps):
    assert steps_per_epoch(n, batch_size) == steps


def test_the_start_has_the_distribution_of_nn_linear():
    from scipy.stats import ks_2samp

    torch.manual_seed(0)
    ours = np.concatenate([start("torch", seed, d=4, p=5) for seed in range(400)])
    theirs = np.concatenate(
        [
            np.append(layer.weight.detach().numpy(), layer.bias.item())
            for layer in (torch.nn.Linear(4, 1) for _ in range(400))
        ]
    )
    assert ks_2samp(ours, theirs).pvalue > 0.01
    assert abs(ours).max() <= 0.5


def test_fixed_starts():
    assert start("zeros", 5, 2, 3).tolist() == [0, 0, 0]
    assert start([1, 2.5, 3], 5, 2, 3).tolist() == [1, 2.5, 3]
