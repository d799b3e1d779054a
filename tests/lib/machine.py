"""What a benchmark says about where it ran.

    machine()        "2026-11-26, Linux 6.18, 2 CPUs"
"""

import datetime
import os
import platform
import re


def machine():
    release = re.match(r"\d+\.\d+", platform.release())
    return f"{datetime.date.today()}, {platform.system()} {release[0] if release else '?'}, {os.cpu_count()} CPUs"
