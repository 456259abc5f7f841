"""python -m charrnn.native: compile the kernels now, so that the first run need not."""

from __future__ import annotations

import sys

from charrnn.native.library import kernels, problem


def main() -> int:
    """Says what there is; status 0 either way, for nothing needs them."""
    words = problem()
    print(f"kernels: {kernels()}" + (f" ({words})" if words else ""), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
