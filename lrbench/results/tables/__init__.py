"""Every number that is printed or drawn: frames in, frames out, a concept a file; no ink and no sentences.

A task is what all optimizers of a comparison share: problem (data, loss, dtype), steps, batches, init.
Rankings are made within one task. An optimizer's own columns are computed from its own runs alone.

    runs, problems, roles -> tasks, entries -> settings -> ranking, pairs -> all others

sweep.py has them all of one stored sweep, difference.py of two: each computed once, when it is first asked
for.
"""
