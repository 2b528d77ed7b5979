"""Trains the network on worlds that are rendered as it goes; `torchrun -m training.train` on several GPUs.

Every rank draws its own worlds and holds the same weights: gradients are averaged as one vector, and time, rate and
the end are agreed on, so that ranks never part.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import torch
import torch.distributed as dist
from torch import Tensor

from .checkpoint import Progress, resume, write_checkpoint
from .flat import FlatNet
from .lesson import COMPILING, FIGURES, Lesson
from .losses import sample_geometry
from .net import Norm, StillNet
from .truth import Worlds

SHAPES = [(288, 416), (416, 288), (352, 352)]
ROUNDS = (1, 2, 2, 3, 3, 4, 5)
WARMUP = 300  # steps
LEAST_RATE = 1e-6
EVERY_AGREED = 10  # steps between two looks at the clock
EVERY_LOGGED = 100
EVERY_AVERAGED = 2
PROFILE = 30, 50  # steps that are timed
MOST_RANKS, SEEDS_APART = 64, 10_000_000  # a stream counts its seeds up from its first
RECENT = 0.02  # weight of a step in the figures that are printed


class Stream(Protocol):
    """Worlds without end."""

    def draw(self) -> Worlds:
        """The next batch."""

    def close(self) -> None:
        """No more of them."""


OpenStream = Callable[[int], Stream]  # by its seed
Develop = Callable[[Worlds, torch.Generator], Tensor]
Watch = Callable[[StillNet], dict[str, float]]


@dataclass(frozen=True)
class Plan:
    """What a run is told to do."""

    seconds: float
    out: Path
    start: float = 0.0
    end: float = 1.0
    rate: float = 1e-3
    targets: int = 4
    save_every: float = 120.0
    watch_every: float = 120.0
    compiling: str = "none"
    profile: bool = False
    most_steps: int | None = None


class Ranks:
    """The processes that train together; one alone where torchrun did not start it."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.rank, self.count = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
        if self.count > 1:
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")

    def average(self, vector: Tensor) -> None:
        """Replace a vector by its mean over ranks."""
        if self.count > 1:
            dist.all_reduce(vector)
            vector /= self.count

    def gather(self, value: dict[str, float]) -> list[dict[str, float]]:
        """The values of all ranks, on all ranks."""
        if self.count == 1:
            return [value]
        values: list[dict[str, float]] = [{} for _ in range(self.count)]
        dist.all_gather_object(values, value)
        return values

    def close(self) -> None:
        """Wait for all, and part."""
        if self.count > 1:
            dist.barrier()
            dist.destroy_process_group()


class Clock:
    """Seconds since the start as rank 0 has them: the same on all ranks at the same step, and never waited for."""

    def __init__(self, ranks: Ranks) -> None:
        self.ranks, self.start, self.agreed = ranks, time.monotonic(), 0.0
        self.told = torch.zeros(1, dtype=torch.float64, pin_memory=ranks.device.type == "cuda")
        self.event: torch.cuda.Event | None = None

    def read(self, step: int) -> float:
        """Looks at the time in every EVERY_AGREED-th step; what was seen then counts from the next look on."""
        now = time.monotonic() - self.start
        if self.ranks.count == 1:
            return now
        if step % EVERY_AGREED == 0:
            if self.event is not None:
                self.event.synchronize()
                self.agreed = float(self.told[0])
            sent = torch.full((1,), now, dtype=torch.float64, device=self.ranks.device)
            dist.broadcast(sent, 0)
            self.told.copy_(sent, non_blocking=True)
            if self.ranks.device.type == "cuda":
                self.event = torch.cuda.Event()
                self.event.record()
            else:
                self.agreed = float(self.told[0])
        return self.agreed


@dataclass
class Stopwatch:
    """Milliseconds by phase, when profiling; waits for the device then."""

    device: torch.device
    running: bool = False
    spent: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count what happens inside."""
        if not self.running:
            yield
            return
        self._wait()
        start = time.perf_counter()
        yield
        self._wait()
        self.spent[name] = self.spent.get(name, 0.0) + 1e3 * (time.perf_counter() - start)

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def set_rate(plan: Plan, fraction: float, step: int) -> float:
    """The learning rate: a warm start, then half a cosine over the whole schedule."""
    return plan.rate * min(1.0, (step + 1) / WARMUP) * (0.5 + 0.5 * math.cos(math.pi * fraction)) + LEAST_RATE


class Training:
    """A run: the network, where its worlds come from, and how far it is."""

    def __init__(
        self,
        plan: Plan,
        open_stream: OpenStream,
        develop: Develop,
        ranks: Ranks,
        net: StillNet,
        watch: Watch | None = None,
    ) -> None:
        self.plan, self.open_stream, self.develop, self.ranks, self.watch = plan, open_stream, develop, ranks, watch
        self.flat = FlatNet(net)
        self.progress = Progress(step=0, fraction=plan.start, seconds=0.0, seed=0, images=0, best={})
        self.best: Tensor | None = None
        self.generator = torch.Generator(ranks.device)
        self.lesson = Lesson(net, plan.targets, self.generator, plan.compiling)
        self.watchers_net: StillNet | None = None
        self.stopwatch = Stopwatch(ranks.device)
        self.figures = torch.zeros(len(FIGURES), device=ranks.device)

    def resume(self, folder: Path) -> None:
        """Go on from a checkpoint."""
        self.progress, self.best = resume(folder, self.flat)

    def run(self) -> dict[str, float]:
        """Train for the planned seconds; the last figures by name. Writes checkpoints into the plan's folder."""
        plan, began = self.plan, self.progress
        seed = (began.seed * MOST_RANKS + self.ranks.rank) * SEEDS_APART  # others after every resumption
        self.generator.manual_seed(seed)
        self.stream = self.open_stream(seed)
        dice = random.Random(began.seed)  # the same rounds on all ranks
        clock, step = Clock(self.ranks), 0
        saved = watched = 0.0
        while True:
            seconds = clock.read(step)
            if seconds >= plan.seconds or step == plan.most_steps:
                break
            fraction = plan.start + (plan.end - plan.start) * min(1.0, seconds / plan.seconds)
            rate = set_rate(plan, fraction, self.flat.steps)
            count = self._step(rate, dice.choice(ROUNDS), dice.random() < 0.5, step)
            step += 1
            self.progress = replace(
                self.progress,
                step=self.flat.steps,
                fraction=fraction,
                seconds=began.seconds + seconds,
                images=self.progress.images + count * self.ranks.count,
            )
            if step in (1, 10, 30) or step % EVERY_LOGGED == 0:
                self._log(step, clock, self.progress.images - began.images)
            self._profile(step)
            if self.watch is not None and seconds - watched >= plan.watch_every:
                self._watch_now()
                watched = seconds
            if seconds - saved >= plan.save_every:
                self.save(began.seed + 1)
                saved = seconds
        self._log(step, clock, self.progress.images - began.images)
        self.stream.close()
        if self.watch is not None:
            self._watch_now()
        self.save(began.seed + 1)
        return dict(zip(FIGURES, self.figures.tolist(), strict=True))

    def save(self, next_seed: int) -> None:
        """Write a checkpoint, on the first rank."""
        if self.ranks.rank == 0:
            progress = replace(self.progress, seed=next_seed)
            write_checkpoint(self.plan.out / "checkpoint", self.flat, progress, self.best)

    def say(self, words: str) -> None:
        """Print, and keep in the log."""
        if self.ranks.rank == 0:
            print(words, flush=True)  # noqa: T201
            self.plan.out.mkdir(parents=True, exist_ok=True)
            with (self.plan.out / "log.txt").open("a", encoding="utf-8") as log:
                log.write(words + "\n")

    def _step(self, rate: float, rounds: int, mirrored: bool, step: int) -> int:
        phase = self.stopwatch.phase
        with torch.no_grad():
            with phase("draw"):
                worlds = self.stream.draw()
                worlds = worlds.flip() if mirrored else worlds
            with phase("film"):
                pictures = self.develop(worlds, self.generator)
            with phase("targets"):
                targets = self.lesson.choose(worlds)
                geometry = sample_geometry(worlds, 1 + step % 2, 1 + step // 2 % 2)
        with phase("forward"):
            loss, figures = self.lesson.teach(pictures, targets, geometry, rounds)
        with phase("backward"):
            loss.backward()
        with phase("optimiser"):
            self.ranks.average(self.flat.grads)
            self.flat.step(rate)
            if self.flat.steps % EVERY_AVERAGED == 0:
                self.flat.follow(EVERY_AVERAGED)
            # a round of one click has no later loss; figures that are not finite are left out
            self.figures = torch.where(
                figures.isfinite(), self.figures.lerp(figures, max(RECENT, 1 / (step + 1))), self.figures
            )
        return pictures.shape[0]

    def _log(self, step: int, clock: Clock, images: int) -> None:
        if self.ranks.rank:
            return
        figures = " ".join(f"{name} {value:.3f}" for name, value in zip(FIGURES, self.figures.tolist(), strict=True))
        seconds = time.monotonic() - clock.start
        memory = torch.cuda.max_memory_allocated() / 2**30 if self.ranks.device.type == "cuda" else 0.0
        speed = images / max(seconds, 1e-9)
        self.say(f"step {self.flat.steps} {seconds:.0f} s {speed:.0f} images/s {memory:.0f} GiB {figures}")

    def _profile(self, step: int) -> None:
        if not self.plan.profile:
            return
        first, last = PROFILE
        if step == last:
            spent = {name: total / (last - first) for name, total in self.stopwatch.spent.items()}
            words = " ".join(f"{name} {value:.1f}" for name, value in spent.items())
            self.say(f"milliseconds a step: {words} all {sum(spent.values()):.1f}")
        self.stopwatch.running = first <= step < last

    def _watch_now(self) -> None:
        if self.watch is None:
            return
        start = time.monotonic()
        if self.watchers_net is None:
            self.watchers_net = StillNet().to(self.ranks.device).eval()
        self.watchers_net.load_state_dict({s.name: s.view(self.flat.average) for s in self.flat.slots})
        try:
            found = self.watch(self.watchers_net)
        except Exception as error:  # a still that cannot be measured must not end a training
            self.say(f"stills were not measured: {error!r}")
            found = {}
        figures = merge_figures(self.ranks.gather(found))
        words = " ".join(f"{name} {value:.3f}" for name, value in figures.items())
        better = figures.get("choice", 0.0) > self.progress.best.get("choice", -1.0)
        best = " (best)" if better else ""
        self.say(f"stills at step {self.flat.steps}{best}: {words} {time.monotonic() - start:.1f} s")
        if better:
            self.best = self.flat.average.clone()
            self.progress = replace(self.progress, best=figures)


def merge_figures(parts: list[dict[str, float]]) -> dict[str, float]:
    """Means out of the sums (`name`) and counts (`name#`) of all ranks; `choice`: what checkpoints are chosen by."""
    from .watch import CHOICE

    names = [name for name in max(parts, key=len) if not name.endswith("#")]
    means = {}
    for name in names:
        count = sum(part.get(f"{name}#", 0.0) for part in parts)
        if count:
            means[name] = sum(part.get(name, 0.0) for part in parts) / count
    chosen = [means[name] for name in CHOICE if name in means]
    means["choice"] = sum(chosen) / max(len(chosen), 1)
    return means


def read_shapes(text: str) -> list[tuple[int, int]]:
    """288x416,352x352 as pairs; multiples of 32."""
    shapes = [(int(height), int(width)) for height, _, width in (word.partition("x") for word in text.split(","))]
    if any(side % 32 for shape in shapes for side in shape):
        raise argparse.ArgumentTypeError("sides must be multiples of 32")
    return shapes


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What a command line says (this process's own if none is given)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, required=True, help="of training, without what comes before")
    parser.add_argument("--out", type=Path, required=True, help="folder for log.txt and checkpoint/")
    parser.add_argument("--resume", type=Path, help="checkpoint folder to go on from")
    parser.add_argument("--schedule", type=float, nargs=2, metavar=("A", "B"), help="part of the schedule, 0..1")
    parser.add_argument("--batch", type=int, default=48, help="pictures a step on each GPU")
    parser.add_argument("--shapes", type=read_shapes, default=SHAPES, help="of pictures: HEIGHTxWIDTH,...")
    parser.add_argument("--targets", type=int, default=4, help="targets in a picture")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--watch", type=Path, help="folder of stills that the best average is chosen by")
    parser.add_argument("--watch-every", type=float, default=120.0, help="seconds")
    parser.add_argument("--compile", choices=COMPILING, default="none", dest="compiling")
    parser.add_argument("--compile-cache", type=Path, help="file of compiled graphs to load, and to write at the end")
    parser.add_argument("--norm", choices=("torch", "fused"), default="torch", help="fused: Triton kernels")
    parser.add_argument("--uses", type=int, default=1, help="times that a batch of worlds is filmed and asked about")
    parser.add_argument("--workers", type=int, help="processes that write scenes; as many as fit if not given")
    parser.add_argument("--steps", type=int, help="stop after so many")
    parser.add_argument("--seed", type=int, help="of worlds and clicks, in place of the checkpoint's")
    parser.add_argument("--profile", action="store_true", help="print milliseconds by phase after 30 steps")
    return parser.parse_args(arguments)


def find_device() -> torch.device:
    """This process's GPU, set up for speed; the CPU where there is none."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    torch.backends.cudnn.benchmark = False  # trying every algorithm for every shape takes longer than it saves
    torch.set_float32_matmul_precision("high")
    return device


def load_compiled(path: Path) -> None:
    """Graphs that an earlier run compiled on such a machine."""
    if path.is_file():
        torch.compiler.load_cache_artifacts(path.read_bytes())


def save_compiled(path: Path) -> None:
    """Keep the compiled graphs for the next run."""
    artifacts = torch.compiler.save_cache_artifacts()
    if artifacts is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(artifacts[0])


def main(words: Sequence[str] | None = None) -> None:
    """Train as a command line says."""
    from .film import develop
    from .panoramas import load_panoramas
    from .stream import WorldStream

    arguments = read_arguments(words)
    device = find_device()
    ranks = Ranks(device)
    Norm.fused = arguments.norm == "fused"
    if arguments.compile_cache:
        load_compiled(arguments.compile_cache)
    torch.manual_seed(0)  # the same first weights on all ranks
    net = StillNet().to(device, memory_format=torch.channels_last)
    watch: Watch | None = None
    if arguments.watch:
        from .watch import StillWatch

        watch = StillWatch(arguments.watch, device, ranks.rank, ranks.count)
    plan = Plan(
        seconds=arguments.seconds,
        out=arguments.out,
        rate=arguments.lr,
        targets=arguments.targets,
        watch_every=arguments.watch_every,
        compiling=arguments.compiling,
        profile=arguments.profile,
        most_steps=arguments.steps,
    )
    panoramas = load_panoramas(device)
    workers = max(2, (os.cpu_count() or 4) // ranks.count - 2) if arguments.workers is None else arguments.workers

    def open_stream(seed: int) -> Stream:
        return WorldStream(arguments.batch, arguments.shapes, seed, device, workers, arguments.uses)

    training = Training(plan, open_stream, lambda worlds, dice: develop(worlds, panoramas, dice), ranks, net, watch)
    if arguments.resume:
        training.resume(arguments.resume)
    start, end = arguments.schedule or (training.progress.fraction, 1.0)
    training.plan = replace(plan, start=start, end=end)
    if arguments.seed is not None:
        training.progress = replace(training.progress, seed=arguments.seed)
    training.run()
    if arguments.compile_cache and ranks.rank == 0:
        save_compiled(arguments.compile_cache)
    ranks.close()


if __name__ == "__main__":
    main()
