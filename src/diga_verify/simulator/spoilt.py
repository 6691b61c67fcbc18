"""Faults of the transport and of the text: what comes is late, broken, endless, or no JSON."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from diga_verify.simulator.wire import HTML_TYPE, JSON_TYPE, PADDING, TEXT_TYPE, Answer, Manner

if TYPE_CHECKING:
    from collections.abc import Callable

    from diga_verify.simulator.scene import Fault, Scene, Spoiler

DEPTH = 100_000
_HTML = b"<!DOCTYPE html><html><title>Sign in</title><body><h1>Sign in to continue</h1></body></html>"
_GZIP = 16 + zlib.MAX_WBITS


def _body(body: bytes, content_type: str = JSON_TYPE) -> Spoiler:
    return lambda _fault, _scene: Answer(200, body, content_type)


def _manner(manner: Manner) -> Spoiler:
    return lambda _fault, scene: replace(scene.answer, manner=manner)


def _typed(content_type: str | None) -> Spoiler:
    return lambda _fault, scene: replace(scene.answer, content_type=content_type)


def _bytes(change: Callable[[bytes], bytes]) -> Spoiler:
    return lambda _fault, scene: replace(scene.answer, body=change(scene.answer.body))


def _with_member(value: bytes) -> Spoiler:
    """The true answer with one more member, whose value is given as it goes over the wire."""

    def put(body: bytes) -> bytes:
        rest = body[1:]
        return b'{"simulated": ' + value + (b"" if rest == b"}" else b", ") + rest

    return _bytes(put)


def _duplicate_keys(_: Fault, scene: Scene) -> Answer:
    """The same key twice; a reader that lets the last one win sees an empty list."""
    value = scene.json
    key = next((key for key, item in value.items() if isinstance(item, list)), next(iter(value), "items"))
    first = json.dumps(value.get(key, []))
    rest = "".join(f", {json.dumps(name)}: {json.dumps(item)}" for name, item in value.items() if name != key)
    return replace(scene.answer, body=f'{{"{key}": {first}{rest}, "{key}": []}}'.encode())


def _encoded(answer: Answer, body: bytes) -> Answer:
    return replace(answer, body=body, headers=answer.headers | {"Content-Encoding": "gzip"})


def _gzip_bomb(_: Fault, scene: Scene) -> Answer:
    head, packer = _packed_padding()
    packer = packer.copy()
    return _encoded(scene.answer, head + packer.compress(scene.answer.body + b"\n") + packer.flush())


@cache
def _packed_padding() -> tuple[bytes, zlib._Compress]:
    """What the padding packs to so far, and the compressor, of which copies go on from there: packing takes a while."""
    packer = zlib.compressobj(wbits=_GZIP)
    return packer.compress(b" " * PADDING), packer


SPOILT: dict[str, Spoiler] = {
    "html": _body(_HTML, HTML_TYPE),
    "empty": _body(b""),
    "blank": _body(b" \r\n\t\n"),
    "null": _body(b"null"),
    "array": _body(b"[]"),
    "empty_object": _body(b"{}"),
    "wrong_kind": _body(b'{"kind": "compute#instanceList", "items": []}'),
    "no_content": lambda _fault, _scene: Answer(204, b"", content_type=None),
    "plain_text": _typed(TEXT_TYPE),
    "no_type": _typed(None),
    "truncated": _bytes(lambda body: body[: len(body) // 2]),
    "duplicate_keys": _duplicate_keys,
    "deep": _with_member(b"[" * DEPTH + b"]" * DEPTH),
    "not_a_number": _with_member(b"NaN"),
    "not_utf8": _with_member(b'"caf\xe9"'),
    "bom": _bytes(lambda body: b"\xef\xbb\xbf" + body),
    "bad_gzip": lambda _, scene: _encoded(scene.answer, scene.answer.body),
    "gzip_bomb": _gzip_bomb,
    "huge": _manner(Manner.PADDED),
    "short_body": _manner(Manner.SHORT),
    "bad_chunks": _manner(Manner.UNENDED),
    "reset": _manner(Manner.RESET),
    "silence": _manner(Manner.SILENCE),
    "drip": _manner(Manner.DRIP),
    "header_drip": _manner(Manner.HEADER_DRIP),
    "body_then_silence": _manner(Manner.HALF),
}
"""By name of the answer."""
