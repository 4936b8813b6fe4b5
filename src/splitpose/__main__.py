"""Entry point of the command line: `python -m splitpose COMMAND`."""

import sys

from splitpose.cli import main

if __name__ == "__main__":
    sys.exit(main())
