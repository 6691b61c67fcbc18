"""What changed between two runs. Pure: two reports in, a `Drift` out.

What a run did not look at, or could not read, is never taken for gone: it is out of scope, or not seen.
"""

from diga_verify.drift.compare import drift, refuse_baseline
from diga_verify.drift.scope import NOTHING_IN_COMMON

__all__ = ["NOTHING_IN_COMMON", "drift", "refuse_baseline"]
