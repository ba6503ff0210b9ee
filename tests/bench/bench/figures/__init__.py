# SPDX-License-Identifier: MIT
"""The figures: each file registers what it measures."""
import importlib
import pkgutil

for found in sorted(m.name for m in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{found}")
