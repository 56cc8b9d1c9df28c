"""Several processes train the network of one; so do several mini-batches that make one step."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from torch import nn

from sklearn_distill import DistilledNeuralClassifier, GreedyHypergradient
from tests.nets.distributed_fit import TEACHER, X, Y, fits, results, student

accelerate = pytest.importorskip("accelerate", reason="accelerate is not installed")


def free_port():
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return str(opened.getsockname()[1])


def run_processes(folder, world):
    """Start the processes as torchrun does, without its agent."""
    common = {
        "WORLD_SIZE": str(world),
        "LOCAL_WORLD_SIZE": str(world),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": free_port(),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "tests.nets.distributed_fit", str(folder), str(world)]
    started = [
        subprocess.Popen(
            command,
            env=os.environ | common | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
        )
        for rank in range(world)
    ]
    for process in started:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors.decode()[-3000:]


def check_equal_to_one_process(folder, world):
    found = [dict(np.load(folder / f"rank{rank}.npz")) for rank in range(world)]
    (folder / "one").mkdir()
    expected = results(fits(None, folder / "one"))
    whole = student(None).fit(X, Y, teacher_proba=TEACHER, **held_out())
    expected |= results({"resumed": whole})
    for values in found:
        assert values.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_allclose(values[name], value, atol=1e-5, err_msg=name)
            np.testing.assert_array_equal(values[name], found[0][name], err_msg=name)


def held_out():
    from tests.nets.distributed_fit import X_VAL, Y_VAL

    return {"X_val": X_VAL, "y_val": Y_VAL}


def test_two_processes_train_the_network_of_one(tmp_path):
    """Arrays, Datasets, frozen layers, clipping, early stopping, scores, a resumed training."""
    fits(accelerate.Accelerator(cpu=True), tmp_path)  # writes the checkpoint
    run_processes(tmp_path, 2)
    check_equal_to_one_process(tmp_path, 2)
    assert not (tmp_path / "resumed.pt").exists()


@pytest.mark.slow
def test_four_processes_of_torchrun_train_the_network_of_one(tmp_path):
    fits(None, tmp_path)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    script = ["-m", "tests.nets.distributed_fit", str(tmp_path), "4"]
    done = subprocess.run(
        [*torchrun, "--nproc_per_node", "4", *script], capture_output=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    check_equal_to_one_process(tmp_path, 4)


# --- accumulation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n_steps", [1, 2, 3, 100])
@pytest.mark.parametrize("batch_size", [10, 33])
def test_accumulated_mini_batches_make_the_step_of_one(n_steps, batch_size):
    """A last step of fewer and smaller mini-batches, too, with a clipped gradient."""
    options = {"gradient_clip": 0.05, "lr_schedule": "cosine"}
    accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=n_steps)
    several = student(accelerator, batch_size=batch_size, **options)
    one = student(None, batch_size=n_steps * batch_size, **options)
    for model in (several, one):
        model.fit(X, Y, teacher_proba=TEACHER)
    found, expected = results({"": several}), results({"": one})
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-5, err_msg=name)


def test_sharded_weights_are_refused():
    accelerator = accelerate.Accelerator(cpu=True)
    accelerator.state.distributed_type = accelerate.DistributedType.FSDP
    try:
        with pytest.raises(ValueError, match="accelerator of the type FSDP, which shards"):
            student(accelerator).fit(X, Y, teacher_proba=TEACHER)
    finally:
        accelerator.state.distributed_type = accelerate.DistributedType.NO


def test_hypergradients_are_refused():
    model = student(accelerate.Accelerator(cpu=True), metaparameter_optimizer=GreedyHypergradient())
    message = r"metaparameter_optimizer with accelerator=.*: hypergradients do not support it"
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y, teacher_proba=TEACHER, **held_out())


@pytest.mark.parametrize("n_rows", [21, 67])
def test_a_last_row_is_joined_for_batch_normalisation(n_rows):
    module = nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.Linear(7, 2))
    sizes = []

    def count(features):
        sizes.append(len(features))
        return features

    DistilledNeuralClassifier(
        module,
        imitation=0,
        batch_size=(n_rows - 1) // 2,
        max_epochs=1,
        augmentation=count,
        accelerator=accelerate.Accelerator(cpu=True),
    ).fit(X[:n_rows], np.arange(n_rows) % 2)
    assert sizes == [(n_rows - 1) // 2, (n_rows + 1) // 2]
