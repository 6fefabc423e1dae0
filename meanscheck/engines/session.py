"""How does Spark start on this machine, and what is missing if it does not?

Spark needs a Java runtime, 17 or later, which no Python package brings (Debian: ``apt install default-jre-headless``),
and the extra ``spark``. Both are looked at before Spark is, whose own complaints are long and name neither.

Java is the one in JAVA_HOME, as Spark takes it, or else on the path.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from meanscheck.errors import InputError

JAVA = 17
REMEDY = 'Install it: pip install "meanscheck[spark]"'
_JAVA_REMEDY = f"Install Java {JAVA} or later, on Debian: apt install default-jre-headless"
_SETTINGS = {
    # Nobody outside this machine is listened to, and no page shows what runs.
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def local_session(processes: int = 2, *, settings: Mapping[str, str] | None = None) -> Any:
    """A `pyspark.sql.SparkSession` on this machine; to be stopped by whoever asked for it.

    Args:
        processes: tasks at a time, each in a Python process of one thread.
        settings: of Spark, besides and before those of this module.

    Raises:
        InputError: PySpark or Java is missing or too old.
    """
    if find_spec("pyspark") is None:
        raise InputError("Spark needs PySpark, which is not installed", remedy=REMEDY)
    found = java_version()
    if found is None:
        raise InputError("Spark needs Java, and there is none on the path or in JAVA_HOME", remedy=_JAVA_REMEDY)
    if found < JAVA:
        raise InputError(f"Spark needs Java {JAVA}, and this is Java {found}", remedy=_JAVA_REMEDY)
    from pyspark.sql import SparkSession

    # Unless told otherwise Spark starts whatever python3 is on the path.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(f"local[{processes}]").appName("meanscheck")
    for name, value in (_SETTINGS | dict(settings or {})).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def java_version() -> int | None:
    """The feature release of the Java that Spark would take, such as 17; None if there is none that runs."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if java is None:
        return None
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    # Java 8 called itself 1.8.
    match = re.search(r'version "(?:1\.)?(\d+)', told.stderr + told.stdout)
    return int(match.group(1)) if match else None
