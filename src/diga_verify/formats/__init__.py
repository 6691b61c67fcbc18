"""Formats: one file each, a function from a report to text. They decide nothing and write nothing."""
