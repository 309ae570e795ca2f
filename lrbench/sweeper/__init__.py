"""The Hydra side: from override lines to blocks, and Hydra's own launchers and sweepers. The only place that touches Hydra's inside.

compose.py   override lines -> one configuration, inside any program and thread
expand.py    swept override lines and the sweep: block -> blocks
messages.py  what a wrong request is told
jobs.py      Hydra's own launchers and sweepers: one job a run
"""
