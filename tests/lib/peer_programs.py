"""Where the programs of peers are, when they are: for comparisons that skip with words otherwise.

    promtool = peer("promtool")        a path, or None
    folder = peers_folder()            a folder of them, or None

Looked for below the folder WATCHBILL_PEERS, then in PATH.
"""

import os
import pathlib
import shutil


def peers_folder(wanted=None):
    """The folder that was asked for, or else what WATCHBILL_PEERS names; None when nobody says."""
    folder = wanted or os.environ.get("WATCHBILL_PEERS")
    return pathlib.Path(folder) if folder else None


def peer(name):
    folder = peers_folder()
    for path in sorted(folder.glob(f"**/bin/{name}")) if folder else ():
        if os.access(path, os.X_OK):
            return str(path)
    return shutil.which(name)
