"""Stand-ins for what the gateway speaks to."""

from __future__ import annotations


class Spoken:
    """Stands for a client library, and writes down what is said to it, each chain of calls as it is written."""

    def __init__(self, log: list[str], said: str = "") -> None:
        self._log, self._said = log, said

    def __getattr__(self, name: str) -> Spoken:
        return Spoken(self._log, f"{self._said}.{name}".lstrip("."))

    def __call__(self, *values: object, **named: object) -> Spoken:
        given = [*map(repr, values), *(f"{name}={value!r}" for name, value in sorted(named.items()))]
        said = Spoken(self._log, f"{self._said}({', '.join(given)})")
        self._log.append(said._said)
        return said
