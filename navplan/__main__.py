"""`python -m navplan` is the `navplan` command."""

from __future__ import annotations

import sys

from navplan.cli.command_line import main

sys.exit(main())
