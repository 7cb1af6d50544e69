"""Devices: what there is, and how much memory it has to give."""

import psutil
import torch

from sparsedecay.engines import Device


def accelerator() -> str | None:
    """The kind of accelerator here, as torch calls it; None if there is none."""
    return next((kind for kind in ("cuda", "mps") if available(kind)), None)


def available(kind: str) -> bool:
    """Whether torch can use such a device here."""
    if kind == "cuda":
        return torch.cuda.is_available()
    if kind == "mps":
        return torch.backends.mps.is_available()
    return kind == "cpu"


def chosen(device: Device) -> torch.device:
    """The device that a setting means: `auto` the accelerator, else the processor."""
    return torch.device((accelerator() or "cpu") if device == "auto" else device)


def described(device: torch.device) -> str:
    """What it calls itself, for provenance."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return device.type


def free(device: torch.device) -> int:
    """Bytes that it has to give now."""
    if device.type == "cuda":
        found, _ = torch.cuda.mem_get_info(device)
        return found
    if device.type == "mps":
        most: int = torch.mps.recommended_max_memory()
        return most - torch.mps.driver_allocated_memory()
    here: int = psutil.virtual_memory().available
    return here


def emptied(device: torch.device) -> None:
    """Give back what the allocator keeps of a batch that did not fit."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def lacks_memory(error: RuntimeError) -> bool:
    """Whether an error says that a device has no more memory."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
