"""What may be said, and how it is said: sentences and texts of tables, made from the numbers of tables/.

phrases.py             on which task, over which seeds, how sure: what several sentences share
verdict.py             the sentences on a sweep
leader.py              of these the first: who is better, and how sure
paste.py               and the last: the line to paste
warnings.py            what to read before quoting
at_another_budget.py   of these, where another budget would give another result
changes.py             the sentences on two sweeps
tables.py              every table: its heading, its sentence, where it stands
cells.py               how its rows are written
glossary.py            what the words mean
protocol.py            how a sweep was made
"""
