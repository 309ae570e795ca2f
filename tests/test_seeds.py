import numpy as np
import pytest
import torch

from lrbench.seeds import batches, start, steps_per_epoch


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


@pytest.mark.parametrize(("n", "batch_size", "steps"), [(10, None, 1), (10, 10, 1), (10, 3, 4), (1, 1, 1)])
def test_steps_per_epoch(n, batch_size, steps):
    assert steps_per_epoch(n, batch_size) == steps


def test_the_start_has_the_distribution_of_nn_linear():
    from scipy.stats import ks_2samp

    torch.manual_seed(0)
    ours = np.concatenate([start("torch", seed, d=4, p=5) for seed in range(400)])
    theirs = np.concatenate([np.append(layer.weight.detach().numpy(), layer.bias.item()) for layer in (torch.nn.Linear(4, 1) for _ in range(400))])
    assert ks_2samp(ours, theirs).pvalue > 0.01
    assert abs(ours).max() <= 0.5


def test_fixed_starts():
    assert start("zeros", 5, 2, 3).tolist() == [0, 0, 0]
    assert start([1, 2.5, 3], 5, 2, 3).tolist() == [1, 2.5, 3]
