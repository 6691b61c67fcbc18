"""The algebra of locations, gathered for those who use it: what they stand for, allow, and mean to people."""

from diga_verify.locations.area import Area, UnknownEntry, area, known_entries
from diga_verify.locations.bound import ZONE_SUFFIX, Bound, bound, normalise
from diga_verify.locations.explain import (
    Explanation,
    adequacy_review_date,
    all_locations,
    explain,
    table_date,
)

__all__ = [
    "ZONE_SUFFIX",
    "Area",
    "Bound",
    "Explanation",
    "UnknownEntry",
    "adequacy_review_date",
    "all_locations",
    "area",
    "bound",
    "explain",
    "known_entries",
    "normalise",
    "table_date",
]
