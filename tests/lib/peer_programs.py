"""Where the programs of peers are, when they are: for comparisons that skip with words otherwise.

    promtool = peer("promtool")        a path, or None
    folder = peers_folder()            a folder of them, or None
    alertmanager_command("--help")     a command line, or None

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


def alertmanager_command(*flags):
    """Alertmanager's command line; None when there is no program. Debian's reads its templates from /usr/share: where it was only
    unpacked, it sees those that were unpacked beside it, in a mount namespace of its own."""
    program = peer("prometheus-alertmanager")
    if not program:
        return None
    share = pathlib.Path(program).parents[1] / "share"
    templates = "prometheus/alertmanager/default.tmpl"
    if pathlib.Path("/usr/share", templates).exists() or not (share / templates).exists():
        return [program, *flags]
    mount = f'mount -t overlay overlay -o lowerdir="{share}":/usr/share /usr/share && exec "$0" "$@"'
    return ["unshare", "-rm", "--", "sh", "-c", mount, program, *flags]
