"""Whose certificates count. They are read once a run: by themselves, `requests` and urllib3 read the whole bundle anew
for every connection, which takes longer than the connection does."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context


class Trust:
    """TLS contexts, one for each bundle of certificates. Safe to use from many threads."""

    def __init__(self) -> None:
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def context(self, verify: bool | str | None) -> ssl.SSLContext:
        """That for `verify`, as `requests` has it: the path of a bundle or of a folder, or True for the usual ones.

        Raises OSError for a path that is not there, and `requests.exceptions.SSLError` for a file that is no bundle.
        """
        path = verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH
        with self._lock:
            if path not in self._contexts:
                self._contexts[path] = _context(path)
            return self._contexts[path]


def _context(path: str) -> ssl.SSLContext:
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    try:
        if Path(path).is_dir():
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        raise requests.exceptions.SSLError(error) from error
    return context
