"""``python -m evalkit`` and the command ``evalkit``: the same, and Ctrl-C is obeyed in French even while it starts."""

import signal
import sys

INTERRUPTED = 130  # ExitCode.INTERRUPTED: importing it is what may be interrupted


def run() -> None:
    """Run the command line."""
    try:
        from evalkit.cli import main
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("\nInterrompu. Rien n'était commencé.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    main()


if __name__ == "__main__":
    run()
