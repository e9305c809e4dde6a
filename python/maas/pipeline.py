# SPDX-License-Identifier: Apache-2.0
"""Pipelines: models wired together by named tensors, run as a whole by the core."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from maas import batching, engine
from maas.errors import InvalidArgumentError, from_core
from maas.model import Model, check_name
from maas.types import closest

if TYPE_CHECKING:
    from maas import _core

_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Stage:
    """A model in a pipeline, with what its tensors are called there.

    `inputs` maps the model's inputs, and `outputs` its outputs, to names of the pipeline's tensors;
    what is not named keeps the model's own name. An output called None is dropped.
    """

    model: Model
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str | None] = field(default_factory=dict)


class Pipeline(Model):
    """Models served as one: what a stage gives under a name goes to the stages that take it.

    ``maas.Pipeline([detector, classifier], name="reader")`` connects each model to the one before
    it: by the names of the tensors, or, where a model has one input and the one before it one
    output, these two. Other graphs name the tensors with ``maas.Stage(model, inputs={"x": "image"},
    outputs={"y": "features"})``; stages whose tensors are there run beside each other. The
    pipeline's inputs are the tensors that no stage gives, its outputs those that no stage takes,
    unless `outputs` names them. It is called, named by an endpoint (`model=`) and served at
    /v2/models/{name} like any model. No request meets Python: each stage shares its model's batches
    with every other caller, under the deadline, priority and id of the request. `max_concurrency`
    requests are under way at once, by default 64 or twice the largest batch of a stage.
    """

    def __init__(
        self,
        stages: Sequence[Model | Stage],
        *,
        name: str,
        outputs: Sequence[str] | None = None,
        max_queue_size: int = 1024,
        max_concurrency: int | None = None,
    ) -> None:
        check_name(name)
        place = f"pipeline {name!r}"
        batching.check_number(place, "max_queue_size", max_queue_size, int, 1)
        if max_concurrency is not None:
            batching.check_number(place, "max_concurrency", max_concurrency, int, 1)
        self.stages = tuple(_stage(item, place) for item in stages)
        self.follows = None  # its stages may
        if not self.stages:
            raise InvalidArgumentError(f"{place} has no stage; give it at least one model")
        self._version = 1
        self._name = name
        self._given_outputs = outputs
        self._max_queue_size = max_queue_size
        self._max_concurrency = max_concurrency
        self._lock = threading.Lock()
        # By engine: the cores of the stages, and the pipeline that was made of them.
        self._made: dict[_core.Engine, tuple[list[_core.Model], _core.Model]] = {}
        self.core(engine.default())

    def __repr__(self) -> str:
        names = ", ".join(stage.model.name for stage in self.stages)
        return f"maas.Pipeline({self.name!r}, version={self.version}, stages=[{names}])"

    @property
    def name(self) -> str:
        """The name it answers at: /v2/models/{name}."""
        return self._name

    @property
    def version(self) -> int:
        """How often the models it is made of were others, from 1."""
        return self._version

    @property
    def source(self) -> str:
        """What it is made of, for errors."""
        return f"the pipeline of {', '.join(stage.model.name for stage in self.stages)}"

    def replace(self, path: str) -> None:
        """Raises an error: a pipeline comes from no file."""
        raise InvalidArgumentError(
            f"{self.name!r} is a pipeline, and {path!r} is one model; "
            "update the models it is made of"
        )

    def reload(self, on: _core.Engine) -> None:
        """Does nothing: a pipeline comes from no file."""

    def release(self, on: _core.Engine) -> None:
        """Lets go of what it has on an engine; the next use makes it again."""
        with self._lock:
            self._made.pop(on, None)

    def core(self, on: _core.Engine) -> _core.Model:
        """The core's pipeline on an engine; a new version when a stage's model was updated."""
        cores = [stage.model.core(on) for stage in self.stages]
        with self._lock:
            known = self._made.get(on)
            if known is not None and known[0] == cores:
                return known[1]
            version = self.version + (known is not None)
            made = self._make(on, cores, version)
            self._version = version
            self._made[on] = (cores, made)
            return made

    def _make(self, on: _core.Engine, cores: list[_core.Model], version: int) -> _core.Model:
        from maas import _core

        place = f"pipeline {self.name!r}"
        wired = _wired(self.stages, cores, place)
        given = [name for _, outputs in wired for name in outputs if name]
        taken = [name for inputs, _ in wired for name in inputs if name]
        inputs = list(dict.fromkeys(name for name in taken if name not in given))
        outputs = [name for name in given if name not in taken]
        if self._given_outputs is not None:
            outputs = list(self._given_outputs)
        largest = max(core.max_batch_size for core in cores)
        options = _core.BatchOptions(
            max_queue_size=self._max_queue_size,
            executors=self._max_concurrency or max(_AT_ONCE, 2 * largest),
        )
        try:
            return _core.make_pipeline(
                on,
                name=self.name,
                version=version,
                stages=[
                    _core.Stage(core, inputs=names[0], outputs=names[1])
                    for core, names in zip(cores, wired, strict=True)
                ],
                inputs=inputs,
                outputs=outputs,
                batching=options,
            )
        except _core.CoreError as error:
            raise from_core(error) from None


def _stage(item: object, place: str) -> Stage:
    if isinstance(item, Model):
        return Stage(item)
    if isinstance(item, Stage):
        return item
    raise InvalidArgumentError(
        f"{place}: a stage is a model that maas.load gave, or a maas.Stage of one, not {item!r}"
    )


def _wired(
    stages: Sequence[Stage], cores: Sequence[_core.Model], place: str
) -> list[tuple[list[str], list[str]]]:
    """The tensors that each stage takes and gives, in the order of its model's signature."""
    wired: list[tuple[list[str], list[str]]] = []
    for number, (stage, core) in enumerate(zip(stages, cores, strict=True)):
        known_inputs = [spec.name for spec in core.inputs]
        known_outputs = [spec.name for spec in core.outputs]
        _check_names(place, core.name, "input", stage.inputs, known_inputs)
        _check_names(place, core.name, "output", stage.outputs, known_outputs)
        inputs = [stage.inputs.get(name, name) for name in known_inputs]
        outputs = [_called(stage.outputs, name) for name in known_outputs]
        before = [name for name in wired[-1][1] if name] if wired else []
        if not stage.inputs and len(inputs) == 1 and len(before) == 1:
            inputs = list(before)
        if not stage.outputs and len(outputs) == 1:
            outputs = [_free(outputs[0], number, wired, inputs)]
        wired.append((inputs, outputs))
    return wired


def _called(names: Mapping[str, str | None], output: str) -> str:
    return (names[output] or "") if output in names else output


def _free(
    name: str, number: int, wired: Sequence[tuple[list[str], list[str]]], own: Sequence[str]
) -> str:
    """The name, or one of its own when an earlier tensor has it: models often agree in names."""
    used = {other for inputs, outputs in wired for other in (*inputs, *outputs)}
    return f"{name}_{number}" if name in used or name in own else name


def _check_names(
    place: str, model: str, kind: str, given: Mapping[str, Any], known: Sequence[str]
) -> None:
    for name in given:
        if name not in known:
            hint = closest(name, known) or f"; it has {', '.join(known)}"
            raise InvalidArgumentError(f"{place}: model {model!r} has no {kind} {name!r}{hint}")
