"""The plain PyTorch loop that people write by hand: one run after the other, all threads, torch's defaults."""

from __future__ import annotations

from torch.utils.tensorboard import SummaryWriter

from benchmarks.bench.peers import Task, read_task, train


def main(task: Task) -> None:
    """Trains every variant."""
    for name, settings in task.variants.items():
        with SummaryWriter(str(task.logs / name)) as writer:

            def log(scalars: dict[str, float], epoch: int, writer: SummaryWriter = writer) -> None:
                for tag, value in scalars.items():
                    writer.add_scalar(tag, value, epoch)

            train(settings, task.images, task.seed, log)


if __name__ == "__main__":
    main(read_task())
