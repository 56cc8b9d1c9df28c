"""Tensors in memory that behave as if they were on a GPU, and what left it."""

import numpy as np
from torch.overrides import TorchFunctionMode

TO_NUMPY = {"numpy", "__array__", "__dlpack__", "tolist"}
FROM_NUMPY = {"tensor", "new_tensor", "__getitem__"}


class LikeGPU(TorchFunctionMode):
    """Refuse what a tensor on a GPU refuses; keep the shapes of all that ``cpu()`` brought here.

    NumPy sees a tensor only after ``cpu()``, and no operation mixes the two.
    """

    def __init__(self):
        super().__init__()
        self.brought = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        if name in TO_NUMPY and not getattr(args[0], "is_here", False):
            raise TypeError(f"{name} of a tensor of shape {tuple(args[0].shape)} on a device")
        if name not in FROM_NUMPY and any(isinstance(arg, np.ndarray) for arg in args):
            raise TypeError(f"{name} of a tensor on a device and an array")
        result = func(*args, **(kwargs or {}))
        if name == "cpu":
            result = result.clone()
            result.is_here = True
            self.brought.append(tuple(result.shape))
        return result

    @property
    def largest(self):
        """Entries of the largest tensor that was brought here."""
        return max(int(np.prod(shape)) for shape in self.brought)
