"""An engine with other limits than a user's: python -m tests.engine.other_limits --connection FD JSON"""

from __future__ import annotations

import asyncio
import json
import sys

from charrnn.engine.__main__ import serve
from charrnn.engine.trainer_watch import Limits

if __name__ == "__main__":
    sys.exit(asyncio.run(serve(int(sys.argv[2]), Limits(**json.loads(sys.argv[3])))))
