"""`python -m pinproof` is the command `pinproof`."""

import sys

from pinproof.cli.main import main

sys.exit(main())
