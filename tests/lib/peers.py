"""Where the programs of peers are, when they are: for comparisons that skip with words otherwise.

    promtool = peer("promtool")        a path, or None

Looked for below the folder WATCHBILL_PEERS, then in PATH.
"""

import os
import pathlib
import shutil


def peer(name):
    folder = os.environ.get("WATCHBILL_PEERS")
    for path in sorted(pathlib.Path(folder).glob(f"**/bin/{name}")) if folder else ():
        if os.access(path, os.X_OK):
            return str(path)
    return shutil.which(name)
