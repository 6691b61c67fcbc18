"""Evidence: what the APIs answered in a run, in one file from which the run can be repeated offline.

The file is one line of ASCII JSON with sorted keys (docs/evidence.md has every key). It holds the SHA-256 of its own
content, so that no change goes unnoticed, and there is only one way to write it down.
"""
