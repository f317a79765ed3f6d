"""Tensors that claim to be on a GPU, on a machine without one, and a record of what the host does with them.

``shapes_alone`` computes nothing but shapes, types and devices, forward and backward. ``values`` computes on the CPU,
for code whose control flow depends on values, without gradients. Both record where the host would wait.
"""

import traceback
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

aten = torch.ops.aten
GPU = torch.device("cuda", 0)
# The host needs the value, or the size, of what they compute.
WAITING = {
    aten._local_scalar_dense.default, aten.nonzero.default, aten.masked_select.default, aten.equal.default,
    aten.is_nonzero.default, aten._unique2.default, aten.unique_dim.default, aten.bincount.default,
    aten.repeat_interleave.Tensor,
}  # fmt: skip
INDEXING = {aten.index.Tensor, aten.index_put_.default, aten.index_put.default, aten._index_put_impl_.default}
COPYING = {aten._to_copy.default, aten.copy_.default}
# Nothing is launched for them.
FREE = {aten.detach.default, aten._unsafe_view.default, aten.empty.memory_format, aten.empty_like.default}
WITH_GPU: Mapping[str, Any] = {
    "torch.cuda.is_available": lambda: True,
    "torch.cuda.is_bf16_supported": lambda including_emulation=True: True,
    "torch.cuda.current_device": lambda: 0,
    "torch.cuda.device_count": lambda: 1,
    "torch.cuda.get_device_capability": lambda device=None: (9, 0),
    "torch.cuda.manual_seed_all": lambda seed: None,
    "torch.cuda._lazy_init": lambda: None,
    "torch.cuda.amp.common.amp_definitely_not_available": lambda: False,
    "torch._subclasses.fake_tensor.init_gpu_context": lambda device: None,
}


class Recorder(TorchDispatchMode):
    """Counts the operators on the GPU, and those among them that the host waits for, by line of this project.

    launches    name of an operator -> how often it ran
    waits       line and operator -> how often the host waited
    mismatches  line and operator -> how often it got tensors of the host and of the GPU
    """

    def __init__(self) -> None:
        super().__init__()
        self.launches, self.waits, self.mismatches = Counter[str](), Counter[str](), Counter[str]()

    def __torch_dispatch__(self, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = self.compute(operator, args, kwargs or {})
        inputs, outputs = _tensors((args, kwargs)), _tensors(result)
        on_gpu = [tensor.device.type == "cuda" for tensor in inputs]
        if operator in COPYING:
            source, target = (inputs[1], inputs[0]) if operator is aten.copy_.default else (inputs[0], outputs[0])
            crosses = source.device.type != target.device.type
            is_free = (kwargs or {}).get("non_blocking") or (operator is aten.copy_.default and True in args[2:])
            if crosses and not is_free:
                self.waits[f"{_line()} copy"] += 1
        elif any(on_gpu):
            if operator in WAITING or (operator in INDEXING and _has_boolean_mask(args[1])):
                self.waits[f"{_line()} {operator}"] += 1
            if any(not gpu and tensor.dim() > 0 for gpu, tensor in zip(on_gpu, inputs, strict=True)):
                self.mismatches[f"{_line()} {operator}"] += 1
        is_launched = any(tensor.device.type == "cuda" for tensor in outputs)
        if is_launched and not operator.is_view and operator not in FREE:
            self.launches[str(operator)] += 1
        return result

    def compute(self, operator: Any, args: Any, kwargs: Any) -> Any:
        """Compute the result of an operator."""
        return operator(*args, **kwargs)


class MemoryRecorder(Recorder):
    """Counts the bytes of the tensors that live on the GPU now, and the most that ever did."""

    def __init__(self) -> None:
        super().__init__()
        self.live, self.peak, self._storages = 0, 0, dict[int, int]()

    def compute(self, operator: Any, args: Any, kwargs: Any) -> Any:
        """Compute the result, and follow the memory of what is new in it."""
        result = operator(*args, **kwargs)
        for tensor in _tensors(result):
            storage = tensor.untyped_storage()
            if tensor.device.type == "cuda" and storage._cdata not in self._storages:
                self._storages[storage._cdata] = storage.nbytes()
                self.live += storage.nbytes()
                self.peak = max(self.peak, self.live)
                weakref.finalize(storage, self._free, storage._cdata)
        return result

    def _free(self, storage: int) -> None:
        self.live -= self._storages.pop(storage)


class ValueRecorder(Recorder):
    """Computes what claims to be on the GPU on the CPU."""

    def compute(self, operator: Any, args: Any, kwargs: Any) -> Any:
        """Compute on the values of the tensors; results are on the GPU if inputs or the wanted device are."""
        wanted = kwargs.get("device")
        to = None if wanted is None else torch.device(wanted).type
        claims = {id(tensor.values_): tensor for tensor in _tensors((args, kwargs)) if isinstance(tensor, GpuTensor)}
        kwargs = kwargs if to is None else {**kwargs, "device": torch.device("cpu")}
        result = operator(*tree_map(_values, args), **tree_map(_values, kwargs))
        if operator is aten.copy_.default:
            return args[0]
        if to == "cpu" or not (to or claims):
            return result

        def claim(value: Any) -> Any:
            if not isinstance(value, Tensor):
                return value
            return claims[id(value)] if id(value) in claims else GpuTensor(value)

        return tree_map(claim, result)


class GpuTensor(Tensor):
    """A tensor that claims to be on the GPU, with its values."""

    @staticmethod
    def __new__(cls, values: Tensor) -> "GpuTensor":
        tensor = Tensor._make_wrapper_subclass(
            cls, values.shape, strides=values.stride(), storage_offset=values.storage_offset(), dtype=values.dtype,
            device=GPU, requires_grad=False,
        )  # fmt: skip
        tensor.values_ = values
        return tensor

    @classmethod
    def __torch_dispatch__(cls, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise AssertionError(f"{operator} is called where nothing is recorded")

    def __bool__(self) -> bool:
        return bool(self.item())

    def tolist(self) -> Any:
        """The values as lists, for which the host waits."""
        for mode in torch.utils._python_dispatch._get_current_dispatch_mode_stack():
            if isinstance(mode, ValueRecorder):
                mode.waits[f"{_line()} tolist"] += 1
        return self.values_.tolist()


@contextmanager
def shapes_alone(recorder: Recorder) -> Iterator[FakeTensorMode]:
    """Pretend a GPU within the block; ``from_tensor`` of the mode brings tensors of the host in."""
    with _with_gpu(), FakeTensorMode(allow_non_fake_inputs=True) as mode, recorder:
        yield mode


@contextmanager
def values() -> Iterator[ValueRecorder]:
    """Pretend a GPU within the block, on which values are computed."""
    with _with_gpu(), ValueRecorder() as recorder:
        yield recorder


@contextmanager
def _with_gpu() -> Iterator[None]:
    with ExitStack() as stack:
        for name, value in WITH_GPU.items():
            stack.enter_context(mock.patch(name, value))
        yield


def on_gpu(module: nn.Module) -> nn.Module:
    """Replace the weights of ``module`` by ones on the GPU, without gradients."""
    for part in module.modules():
        for name, weight in part._parameters.items():
            if weight is not None:
                part._parameters[name] = nn.Parameter(GpuTensor(weight.detach()), requires_grad=False)
    return module


def _tensors(values: Any) -> list[Tensor]:
    return [value for value in tree_leaves(values) if isinstance(value, Tensor)]


def _values(value: Any) -> Any:
    return value.values_ if isinstance(value, GpuTensor) else value


def _has_boolean_mask(indices: Any) -> bool:
    return any(index is not None and index.dtype in (torch.bool, torch.uint8) for index in indices)


def _line() -> str:
    """The innermost line of the project on the stack."""
    for frame in reversed(traceback.extract_stack()):
        if "/xlm_core/" in frame.filename or frame.filename.endswith("scenarios.py"):
            return f"{Path(frame.filename).name}:{frame.lineno}"
    return "elsewhere"
