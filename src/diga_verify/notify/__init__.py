"""Messages to people about what a run found. Nothing here changes a verdict or an exit code (docs/notify.md)."""
