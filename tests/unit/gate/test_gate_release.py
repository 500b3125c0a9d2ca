"""Fargate's sizes are those that ECS documents."""

from __future__ import annotations

from gate.release import FARGATE_SIZES

# ECS developer guide, "Task CPU and memory": by CPU units the smallest and the largest size in GB, and the step.
DOCUMENTED = {
    512: (1, 4, 1),
    1024: (2, 8, 1),
    2048: (4, 16, 1),
    4096: (8, 30, 1),
    8192: (16, 60, 4),
    16384: (32, 120, 8),
}


def test_the_sizes_are_the_documented_ones() -> None:
    expected = {
        cpu: [size * 1024 for size in range(smallest, largest + 1, step)]
        for cpu, (smallest, largest, step) in DOCUMENTED.items()
    }
    assert {cpu: list(sizes) for cpu, sizes in FARGATE_SIZES.items()} == {256: [512, 1024, 2048], **expected}
