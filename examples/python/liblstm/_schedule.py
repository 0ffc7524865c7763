"""Learning rates that depend on the step, or on a metric."""
from __future__ import annotations

import functools
from collections.abc import Sequence
from ctypes import byref, c_double, c_uint64
from typing import Any

from liblstm import _native as native
from liblstm._c import PlateauConfig, ScheduleConfig, ScheduleKind, library
from liblstm._options import above_zero, at_least_zero, changed, described, member
from liblstm._options import named_options


class Schedule:
    """Learning rate of each step: schedule(step), for step 0, 1, ... The kinds are
    "constant", "step" (StepLR), "multi_step" (MultiStepLR), "exponential" (ExponentialLR),
    "cosine" (CosineAnnealingLR) and "one_cycle" (OneCycleLR); the options are those of
    lstm/schedule.h."""

    @named_options(step_size="steps", T_max="steps", total_steps="steps",
                   total_iters="warmup", eta_min="min_lr", max_lr="lr", pct_start="rise",
                   start_factor="warmup_start", anneal_strategy="linear",
                   last_epoch="schedule(step) takes the step.")
    def __init__(self, kind: ScheduleKind | int | str, lr: float, *, steps: int = 0,
                 milestones: Sequence[int] = (), gamma: float = 0.1, min_lr: float = 0.0,
                 warmup: int = 0, warmup_start: float = 1 / 3, rise: float = 0.3,
                 div_factor: float = 25.0, final_div_factor: float = 1e4,
                 three_phase: bool = False, linear: bool = False) -> None:
        above_zero(gamma=gamma, warmup_start=warmup_start, rise=rise, div_factor=div_factor,
                   final_div_factor=final_div_factor)
        options = dict(
            steps=native.size_of("steps", steps), gamma=gamma, min_lr=min_lr,
            warmup=native.size_of("warmup", warmup), warmup_start=warmup_start, rise=rise,
            div_factor=div_factor, final_div_factor=final_div_factor,
            three_phase=three_phase, linear=linear)
        self._kind, self._lr = member(ScheduleKind, "kind", kind), lr
        self._shown = changed(Schedule.__init__, milestones=tuple(milestones), **options)
        self._milestones = (c_uint64 * len(milestones))(
            *(native.size_of("milestone", step) for step in milestones))
        self._config = ScheduleConfig(
            kind=self._kind, lr=native.number_of("lr", lr), milestones=self._milestones,
            milestone_count=len(milestones), **options)
        self(0)

    def __call__(self, step: int) -> float:
        """The learning rate of a step; the first one is 0."""
        rate = c_double()
        library.lstm_schedule_lr(byref(self._config), native.size_of("step", step),
                                 byref(rate))
        return rate.value

    def __reduce__(self) -> tuple[Any, ...]:
        # The struct of C has an address, which cannot be copied.
        options: dict[str, Any] = self._shown
        return functools.partial(Schedule, **options), (self._kind, self._lr)

    def __repr__(self) -> str:
        return described(self, repr(self._kind.name.lower()), self._lr, **self._shown)


class Plateau:
    """A learning rate that falls when a metric stops improving, as ReduceLROnPlateau: give
    each metric to update(), and read lr."""

    @named_options(optimizer="lr", mode="maximize", threshold_mode="absolute",
                   eps="an update of any size is made.")
    def __init__(self, lr: float, *, maximize: bool = False, factor: float = 0.1,
                 patience: int = 10, threshold: float = 1e-4, absolute: bool = False,
                 cooldown: int = 0, min_lr: float = 0.0) -> None:
        above_zero(factor=factor)
        at_least_zero(threshold=threshold)
        options = dict(maximize=maximize, factor=factor,
                       patience=native.size_of("patience", patience), threshold=threshold,
                       absolute=absolute, cooldown=native.size_of("cooldown", cooldown),
                       min_lr=min_lr)
        self._shown = changed(Plateau.__init__, **options)
        # Zero is a default in C, a negative number is none.
        options |= {"patience": patience or -1, "threshold": threshold or -1.0}
        self._config = PlateauConfig(lr=native.number_of("lr", lr), **options)

    def update(self, metric: float) -> float:
        """Updates the learning rate with a metric; returns it."""
        library.lstm_plateau_update(byref(self._config),
                                    native.number_of("metric", metric))
        return self.lr

    @property
    def lr(self) -> float:
        """The learning rate."""
        return float(self._config.lr)

    @lr.setter
    def lr(self, lr: float) -> None:
        self._config.lr = lr

    @property
    def state(self) -> tuple[float, bool, float, int, int]:
        """lr, whether there was an update, the best metric, the number of updates without
        improvement, and the number of updates left to wait; assigning it restores it."""
        config = self._config
        return config.lr, config.started, config.best, config.bad, config.cooling

    @state.setter
    def state(self, state: tuple[float, bool, float, int, int]) -> None:
        config = self._config
        lr, started, best, bad, cooling = state
        config.lr, config.best = lr, best
        config.started = native.flag_of("started", started)
        config.bad = native.size_of("the number of updates without improvement", bad)
        config.cooling = native.size_of("the number of updates to wait", cooling)

    def __repr__(self) -> str:
        return described(self, f"{self.lr:.9g}", **self._shown)
