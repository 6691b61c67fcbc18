"""Sinks: one file each, where a report may go besides standard output."""
