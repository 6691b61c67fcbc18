"""The program: `diga-verify`, or `python -m diga_verify`."""

import signal
from typing import NoReturn


def main() -> NoReturn:
    """Obey the command line, and end the process."""
    # To load the command line takes a moment. Until it has handlers of its own, Ctrl-C ends the program as it ends
    # others: without a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from diga_verify.cli.main import main as obey

    obey()


if __name__ == "__main__":
    main()
