"""From a request to a store.

claim.py     the folder of a request: its name, its hash, and what is refused there
manifest.py  what stands in manifest.json
run.py       what is missing is trained and stored, phase by phase where a sweep is tuned
beyond.py    how the compared runs go on after their budget
progress.py  who waits is told how far it is
again.py     what a stored set was asked with, as it is asked today
jobs.py      the same where a launcher or sweeper of Hydra's runs the jobs
"""
