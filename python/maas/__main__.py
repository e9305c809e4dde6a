# SPDX-License-Identifier: Apache-2.0
"""`python -m maas`."""

import sys

from maas.cli import main

if __name__ == "__main__":
    sys.exit(main())
