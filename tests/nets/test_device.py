import pytest
import torch

from sklearn_distill.nets import resolve_device


@pytest.fixture
def machine(monkeypatch):
    """Pretend that torch finds a number of CUDA devices, and an MPS device or not."""

    def pretend(cuda, mps):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return pretend


@pytest.mark.parametrize(
    ("cuda", "mps", "first"),
    [(0, False, "cpu"), (0, True, "mps"), (1, False, "cuda"), (2, True, "cuda")],
)
def test_auto_is_the_first_available(machine, cuda, mps, first):
    machine(cuda, mps)
    assert resolve_device("auto") == torch.device(first)


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:0", "cuda:1", "mps"])
def test_a_name_gives_its_device(machine, name):
    machine(2, True)
    assert resolve_device(name) == torch.device(name)
    assert resolve_device(torch.device(name)) == torch.device(name)


@pytest.mark.parametrize(
    ("name", "cuda", "mps"),
    [("cuda", 0, True), ("cuda:0", 0, False), ("cuda:2", 2, True), ("mps", 2, False)],
)
@pytest.mark.parametrize("make", [str, torch.device])
def test_an_absent_device_is_an_error(machine, name, cuda, mps, make):
    machine(cuda, mps)
    count = cuda if name != "mps" else 0
    with pytest.raises(ValueError, match=f"device='{name}', but torch .* finds {count} "):
        resolve_device(make(name))


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", None, 1.5])
def test_an_invalid_name_is_an_error(name):
    with pytest.raises(ValueError, match="is no device: pass 'auto'"):
        resolve_device(name)


def test_this_machine():
    assert torch.ones(1, device=resolve_device("auto")).item() == 1
