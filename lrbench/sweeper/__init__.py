"""The Hydra side: from override lines to a request of blocks, and Hydra's own launchers and sweepers.

It is the only place that touches Hydra's inside, but for the flags of the command line.

request.py   override lines -> a request: blocks, options, how it is tuned
compose.py   override lines -> one configuration, inside any program and thread
axes.py      a swept override line -> its values
grids.py     the sweep: block -> what is swept for each choice
expand.py    what is swept -> blocks
messages.py  what a wrong request is told
jobs.py      Hydra's own launchers and sweepers: one job a run
"""
