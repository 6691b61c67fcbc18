"""One file for each resource type: what to ask for, and how to read it."""
