"""`python -m diga_verify`."""

from diga_verify.cli.main import main

main()
