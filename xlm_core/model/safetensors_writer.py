"""Write safetensors files as a stream, into the file that is asked for.

Written by hand because the library, ``safetensors.torch.save_file``, writes into a temporary file of a name of its own
and renames it (safetensors pull request #764; issues #792 and #793 report failures of it on FUSE), so that a killed
process leaves a file that nobody removes; its ``save`` returns bytes, for which it takes twice the memory of the
tensors (issue #458).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def write_safetensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write float32 tensors on the CPU: the length of the header, the header as JSON, the values of all tensors."""
    header, end = dict[str, Any]({"__metadata__": dict(metadata)}), 0
    for name, tensor in sorted(tensors.items()):
        assert tensor.dtype == torch.float32, f"{name} is {tensor.dtype}"
        start, end = end, end + tensor.nbytes
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [start, end]}
    encoded = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)  # values begin at a multiple of 8 bytes
    with open(path, "wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        for _, tensor in sorted(tensors.items()):
            file.write(tensor.reshape(-1).numpy().data)
