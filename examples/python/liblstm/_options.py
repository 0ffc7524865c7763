"""Options of the modules: keyword arguments that do not exist, and names of enums."""
from __future__ import annotations

import difflib
import enum
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from liblstm._native import number_of

F = TypeVar("F", bound=Callable[..., Any])
E = TypeVar("E", bound=enum.IntEnum)


def named_options(**hints: str) -> Callable[[F], F]:
    """Decorates a function: a call with a keyword argument that does not exist raises a
    TypeError that names it and the most similar one. hints has what to use instead of the
    names of PyTorch: arguments, separated by blanks, or a sentence with a full stop."""
    def decorate(function: F) -> F:
        kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        known = {name for name, parameter in inspect.signature(function).parameters.items()
                 if parameter.kind in kinds and name not in ("self", "cls")}
        title = function.__qualname__.replace(".__init__", "")

        @functools.wraps(function)
        def checked(*args: Any, **options: Any) -> Any:
            for name in options:
                if name not in known:
                    raise TypeError(f"{title}() got an unexpected keyword argument "
                                    f"{name!r}{_hint(name, known, hints)}")
            return function(*args, **options)

        return cast(F, checked)

    return decorate


def _hint(name: str, known: set[str], hints: dict[str, str]) -> str:
    starts = [each for each in sorted(known) if len(name) > 2 and each.startswith(name)]
    similar = starts[:1] or difflib.get_close_matches(name, sorted(known), 1)
    hint = hints.get(name, " ".join(similar))
    if hint.endswith("."):
        return f"; {hint[:-1]}"
    return f"; did you mean {' and '.join(map(repr, hint.split()))}?" if hint else ""


def member(kind: type[E], name: str, value: E | int | str) -> E:
    """A member of an enum, from itself, its number, or its name in lower case."""
    names = [each.name.lower() for each in kind]
    if isinstance(value, str) and value in names:
        return kind[value.upper()]
    if isinstance(value, int) and not isinstance(value, bool) and value in list(kind):
        return kind(value)
    raise ValueError(f"{name} is {value!r}, expected {', '.join(names[:-1])} or {names[-1]}")


def above_zero(**options: float) -> None:
    """Refuses options that are 0, which C replaces by a default."""
    for name, value in options.items():
        if not number_of(name, value) > 0:
            raise ValueError(f"{name} is {value!r}, expected above 0")


def at_least_zero(**options: float) -> None:
    """Refuses options that are negative, which C takes for 0."""
    for name, value in options.items():
        if not number_of(name, value) >= 0:
            raise ValueError(f"{name} is {value!r}, expected at least 0")


def described(owner: object, *first: object, **options: object) -> str:
    """Text of repr(): a call with the first arguments and all options that are not None."""
    parts = [*map(str, first), *(f"{name}={_text(value)}" for name, value in options.items()
                                 if value is not None)]
    return f"{type(owner).__name__}({', '.join(parts)})"


def _text(value: object) -> str:
    if isinstance(value, enum.IntEnum):
        return repr(value.name.lower())
    return f"{value:.9g}" if isinstance(value, float) else repr(value)


def changed(function: Callable[..., Any], **options: object) -> dict[str, object]:
    """The options that differ from their defaults in the signature of a function."""
    parameters = inspect.signature(function).parameters
    return {name: value for name, value in options.items()
            if value != parameters[name].default}
