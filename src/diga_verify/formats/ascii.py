"""JSON that can be shown anywhere: ASCII, and without anything that a terminal, a log or a browser would obey."""

from __future__ import annotations

import json
import re
from typing import Any

_ORDERS = re.compile(r"(?<=#)#|<(?=[/!])|\x7f")
"""What could begin `##[command]` in a log, `</script>` or `<!--` in a page, and the one control character that ASCII
JSON may hold. All of it stands within strings only, where an escape changes no value."""


def ascii_json(document: Any) -> str:
    """The document as indented JSON with a line end, its keys in their own order. Raises TypeError for what is no
    JSON."""
    return harmless(json.dumps(document, indent=2, ensure_ascii=True)) + "\n"


def harmless(text: str) -> str:
    """ASCII JSON, of the same value, that nothing obeys."""
    return _ORDERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
