# SPDX-License-Identifier: MIT
"""Forerunner measured beside its peers.

measure.py  what a figure is, rounds, medians, spread, floors, the table
servers.py  servers on scratch directories: ours, Postgres, Redis
peers.py    the peers: their servers and their load
load.py     the load put on ours
figures/    the figures, a file for each theme; a file put there is found
"""
